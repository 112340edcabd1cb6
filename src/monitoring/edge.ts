/**
 * Edge nodes: no Prometheus scrapes them, so what they and their pods use is asked of the metrics API, and added to answers of
 * nodes and pods (observability.md §1.9).
 */
import { type CallOptions } from '../integrations/prometheus/types.js'
import { type RestClient } from '../client/rest.js'
import { type AnyKind } from '../listing/kind.js'
import { findKind } from '../listing/kinds/index.js'
import { type KindStores } from '../listing/stores.js'
import { type AnsweredSeries, type Metric } from './answer.js'
import { type MetricDefinition } from './definitions.js'
import { type MetricSource } from './metricsource.js'
import { type Times } from './parameters.js'
import { matcherOf, vector } from './sampling/answering.js'
import { podFacts } from './sampling/facts.js'
import { nodeFacts } from './sampling/nodes.js'
import { type SampledSeries } from './sampling/series.js'
import { machineValues, usageValues } from './sampling/tally.js'
import { readUsages, type Usages } from './sampling/usage.js'
import { type Selection } from './selection.js'

export const EDGE_LABEL = 'node-role.kubernetes.io/edge'

const ADDED: Readonly<Record<string, { metrics: readonly string[]; labels: readonly string[] }>> = {
  node: {
    metrics: [
      'cpu_usage',
      'cpu_total',
      'cpu_utilisation',
      'memory_usage_wo_cache',
      'memory_total',
      'memory_utilisation',
    ],
    labels: ['node', 'role', 'host_ip'],
  },
  pod: { metrics: ['cpu_usage', 'memory_usage_wo_cache'], labels: ['pod', 'namespace'] },
}
/** One page of a console asks for several metrics at once. */
const KEPT_MS = 5_000
/** Nobody remembers what edge nodes used: about another time than now there is nothing to add. */
const NOW_SECONDS = 300

interface Look {
  at: number
  series: Readonly<Record<string, readonly SampledSeries[]>>
}

export interface EdgeNodesDeps {
  stores: KindStores
  client: RestClient
  now(): Date
}

export class EdgeNodes {
  #look: { at: number; found: Promise<Look> } | undefined

  constructor(private readonly deps: EdgeNodesDeps) {}

  /** Nothing where there are no edge nodes, or nobody measures them. */
  look(): Promise<Look> {
    const at = this.deps.now().getTime()
    if (this.#look && at - this.#look.at < KEPT_MS) return this.#look.found
    const found = this.#read(at / 1_000).catch(() => ({ at: at / 1_000, series: {} }))
    this.#look = { at, found }
    return found
  }

  async #read(at: number): Promise<Look> {
    const { stores, client } = this.deps
    const signal = AbortSignal.timeout(KEPT_MS)
    await stores.ready(['nodes'], signal)
    const nodes = stores.of<never>(kindOf('nodes'))
    const edges = new Map([...nodes.byLabel(EDGE_LABEL)].map((node) => [node.name, nodes.object(node)]))
    if (edges.size === 0) return { at, series: {} }
    const usages = await readUsages(client, signal)
    if (!usages) return { at, series: {} }
    const node = [...edges].map(([name, object]): SampledSeries => {
      const { address, cpu, memory } = nodeFacts(name, object)
      return {
        labels: { node: name, role: 'edge', host_ip: address },
        values: machineValues('node', { cpu, memory }, usages.nodes.get(name)),
      }
    })
    return { at, series: { node, pod: this.#pods(usages, edges) } }
  }

  #pods(usages: Usages, edges: ReadonlyMap<string, unknown>): SampledSeries[] {
    const pods = this.deps.stores.of<never>(kindOf('pods'))
    return [...usages.pods].flatMap(([key, { whole }]) => {
      const [namespace = '', pod = ''] = key.split('/')
      const cached = pods.get(namespace, pod)
      if (!cached) return []
      const { node, ownerKind, ownerName } = podFacts(pods.object(cached))
      if (!edges.has(node)) return []
      const labels = { namespace, pod, node, owner_kind: ownerKind, owner_name: ownerName }
      return [{ labels, values: usageValues('pod', whole) }]
    })
  }
}

/** A source that knows of edge nodes what the one behind it cannot. */
export class WithEdgeNodes implements MetricSource {
  constructor(
    private readonly source: MetricSource,
    private readonly edges: Pick<EdgeNodes, 'look'>,
  ) {}

  async answer(
    definition: MetricDefinition,
    selection: Selection,
    times: Times,
    options: CallOptions,
  ): Promise<Metric> {
    const answer = await this.source.answer(definition, selection, times, options)
    const added = ADDED[selection.level]
    if (!added?.metrics.some((name) => definition.name === `${selection.level}_${name}`)) return answer
    const own = answer.data.result ?? []
    const isRanking = selection.isRanking === true && times.kind === 'instant'
    if (own.length > 0 && !isRanking) return answer
    const { at, series } = await this.edges.look()
    if (Math.abs((times.kind === 'instant' ? times.time : times.end) - at) > NOW_SECONDS) return answer
    const chosen = matcherOf(selection.level as 'node' | 'pod', selection)
    const found = vector(series[selection.level], { ...definition, labels: added.labels }, chosen, at)
    if (found.length === 0) return answer
    const result = [...own, ...found.map((each) => (times.kind === 'range' ? asRange(each) : each))]
    return { ...answer, data: { ...answer.data, result } }
  }
}

function asRange({ value, ...series }: AnsweredSeries): AnsweredSeries {
  return { ...series, ...(value && { values: [value] }) }
}

function kindOf(resource: string): AnyKind {
  const kind = findKind(resource, false)
  if (!kind) throw new Error(`no such kind: ${resource}`)
  return kind
}

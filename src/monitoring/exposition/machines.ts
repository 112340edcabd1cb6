/**
 * Usage as kubelets and node exporters tell of it. The metrics API says how much is in use; counters are that, added up over the
 * time between two scrapes.
 */
import { listAt, textAt } from '../../listing/kind.js'
import { podFacts } from '../sampling/facts.js'
import { nodeFacts } from '../sampling/nodes.js'
import { type Usage, type Usages } from '../sampling/usage.js'
import { type StoreOf } from './objects.js'
import { ExpositionText } from './text.js'

/** Of seconds of CPU. Each begins with nothing when it is first seen, and is forgotten when it is not seen any more. */
class Counters {
  #known = new Map<string, number>()
  #next = new Map<string, number>()
  #at: number | undefined
  #passed = 0

  begin(seconds: number): void {
    this.#passed = this.#at === undefined ? 0 : Math.max(0, seconds - this.#at)
    this.#at = seconds
    this.#known = this.#next
    this.#next = new Map()
  }

  add(key: string, perSecond: number): number {
    const value = (this.#known.get(key) ?? 0) + perSecond * this.#passed
    this.#next.set(key, value)
    return value
  }
}

export class Machines {
  readonly #containers = new Counters()
  readonly #processors = new Counters()

  kubelets(store: StoreOf, usages: Usages, seconds: number): string {
    const text = new ExpositionText()
    this.#containers.begin(seconds)
    const pods = store('pods')
    for (const cached of pods.byName()) {
      const { namespace, name: pod } = cached
      const measured = usages.pods.get(`${namespace}/${pod}`)
      if (!measured) continue
      const object = pods.object(cached)
      const { node } = podFacts(object)
      const uid = textAt(object, 'metadata', 'uid')
      for (const container of listAt(object, 'spec', 'containers')) {
        const name = textAt(container, 'name')
        const usage = measured.containers.get(name)
        if (!usage) continue
        const labels = {
          namespace,
          pod,
          container: name,
          image: textAt(container, 'image'),
          node,
          instance: node,
        }
        const key = `${uid}/${name}`
        text.add('container_cpu_usage_seconds_total', labels, this.#containers.add(key, usage.cpu))
        text.add('container_memory_working_set_bytes', labels, usage.memory)
        // What a page cache holds beside it is not known.
        text.add('container_memory_usage_bytes', labels, usage.memory)
      }
    }
    return text.toString()
  }

  /** In the name of a pod of each node, as the rules find the node by the pod of its exporter. */
  exporters(store: StoreOf, usages: Usages, seconds: number): string {
    const text = new ExpositionText()
    this.#processors.begin(seconds)
    const exporters = exportersOf(store)
    const nodes = store('nodes')
    for (const cached of nodes.byName()) {
      const { name: instance } = cached
      const exporter = exporters.get(instance)
      const usage = usages.nodes.get(instance)
      if (!exporter || !usage) continue
      const { cpu, memory } = nodeFacts(instance, nodes.object(cached))
      this.#tell(text, { ...exporter, instance }, { cpu, memory }, usage)
    }
    return text.toString()
  }

  #tell(
    text: ExpositionText,
    labels: { namespace: string; pod: string; instance: string },
    total: Usage,
    used: Usage,
  ): void {
    const processors = Math.max(1, Math.round(total.cpu))
    const busy = Math.min(1, used.cpu / processors)
    for (let cpu = 0; cpu < processors; cpu++) {
      for (const [mode, share] of [
        ['user', busy],
        ['idle', 1 - busy],
      ] as const) {
        const value = this.#processors.add(`${labels.instance}/${cpu}/${mode}`, share)
        text.add('node_cpu_seconds_total', { ...labels, cpu: String(cpu), mode }, value)
      }
    }
    text.add('node_memory_MemTotal_bytes', labels, total.memory)
    text.add('node_memory_MemFree_bytes', labels, Math.max(0, total.memory - used.memory))
    for (const part of ['Cached', 'Buffers', 'SReclaimable']) text.add(`node_memory_${part}_bytes`, labels, 0)
  }
}

/** The pod that has run longest, so that series change their labels as seldom as can be. */
function exportersOf(store: StoreOf): Map<string, { namespace: string; pod: string }> {
  const pods = store('pods')
  const oldest = new Map<string, { namespace: string; pod: string; since: string }>()
  for (const cached of pods.byName()) {
    const object = pods.object(cached)
    const { node, phase } = podFacts(object)
    if (node === '' || phase !== 'Running') continue
    const since = textAt(object, 'metadata', 'creationTimestamp')
    const known = oldest.get(node)
    if (!known || since < known.since)
      oldest.set(node, { namespace: cached.namespace, pod: cached.name, since })
  }
  return new Map([...oldest].map(([node, { namespace, pod }]) => [node, { namespace, pod }]))
}

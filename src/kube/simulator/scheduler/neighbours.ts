/** Where a pod may be because of other pods: affinity, anti-affinity, even spread over a topology. */
import { type Pod, type PodAffinityTerm } from '../../builtin/types.js'
import { type Collection, selectorOf } from '../../controllers/collections.js'
import { isEnding, isFinished } from '../../controllers/pods/state.js'
import { nodeMatches } from '../../scheduling/nodeaffinity.js'
import { type Node } from '../../scheduling/types.js'

export interface NeighbourDeps {
  pods: Collection<Pod>
  nodes: Collection<Node>
  /** Pods that want nobody like some others near them. */
  unsociable: () => Iterable<Readonly<Pod>>
  /** Looked at as if these had gone. */
  without?: ReadonlySet<Readonly<Pod>>
}

/** Worked out once per pod: `fault` is then asked for each node. */
export interface Neighbours {
  fault(node: Readonly<Node>): string | undefined
  /** Higher is liked more. */
  score(node: Readonly<Node>): number
}

interface Term {
  topologyKey: string
  /** Values of the key where pods are that match. */
  places: ReadonlyMap<string, number>
}

export function neighboursOf(pod: Readonly<Pod>, deps: NeighbourDeps): Neighbours {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const termOf = (term: PodAffinityTerm): Term => placesOf(pod, term, deps)
  const wanted = (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => ({
    ...termOf(term),
    // The first of its kind may be anywhere.
    isFirst: selectorOf(term.labelSelector).matches(pod.metadata.labels) && inNamespaces(pod, pod, term),
  }))
  const unwanted = (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(termOf)
  const refusing = refusals(pod, deps)
  const spread = spreadOf(pod, deps)
  const liked = [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => ({
      ...each,
      sign: 1,
    })),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => ({
      ...each,
      sign: -1,
    })),
  ].map(({ weight, podAffinityTerm, sign }) => ({ ...termOf(podAffinityTerm), weight: weight * sign }))
  const at = ({ metadata }: Readonly<Node>, key: string): string | undefined => metadata.labels?.[key]
  return {
    fault(node) {
      for (const { topologyKey, places, isFirst } of wanted) {
        const place = at(node, topologyKey)
        const isAlone = places.size === 0 && isFirst
        if (place === undefined || (!isAlone && !places.has(place))) {
          return "node(s) didn't match pod affinity rules"
        }
      }
      for (const { topologyKey, places } of unwanted) {
        if (places.has(at(node, topologyKey) ?? '')) return "node(s) didn't match pod anti-affinity rules"
      }
      for (const { topologyKey, places } of refusing) {
        if (places.has(at(node, topologyKey) ?? '')) {
          return "node(s) didn't satisfy existing pods anti-affinity rules"
        }
      }
      return spread(node) ? undefined : "node(s) didn't match pod topology spread constraints"
    },
    score: (node) =>
      liked.reduce(
        (sum, { topologyKey, places, weight }) =>
          sum + (places.has(at(node, topologyKey) ?? '') ? weight : 0),
        0,
      ),
  }
}

function inNamespaces(other: Readonly<Pod>, pod: Readonly<Pod>, { namespaces }: PodAffinityTerm): boolean {
  const { namespace = '' } = other.metadata
  return namespaces?.length ? namespaces.includes(namespace) : namespace === pod.metadata.namespace
}

function placesOf(pod: Readonly<Pod>, term: PodAffinityTerm, deps: NeighbourDeps): Term {
  const { topologyKey, labelSelector, namespaces } = term
  const within = namespaces?.length ? namespaces : [pod.metadata.namespace ?? '']
  const found = within.flatMap((namespace) => deps.pods.select(namespace, selectorOf(labelSelector)))
  return { topologyKey, places: counted(found, topologyKey, deps) }
}

function counted(
  found: Iterable<Readonly<Pod>>,
  topologyKey: string,
  { nodes, without }: NeighbourDeps,
): Map<string, number> {
  const places = new Map<string, number>()
  for (const other of found) {
    const place = other.spec.nodeName && nodes.get('', other.spec.nodeName)?.metadata.labels?.[topologyKey]
    if (place && !isFinished(other) && !without?.has(other)) places.set(place, (places.get(place) ?? 0) + 1)
  }
  return places
}

/** Where pods are that do not want this one near them. */
function refusals(pod: Readonly<Pod>, deps: NeighbourDeps): Term[] {
  const terms: Term[] = []
  for (const other of deps.unsociable()) {
    if (!other.spec.nodeName || isFinished(other) || deps.without?.has(other)) continue
    for (const term of other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ??
      []) {
      if (!inNamespaces(pod, other, term)) continue
      if (!selectorOf(term.labelSelector).matches(pod.metadata.labels)) continue
      terms.push({ topologyKey: term.topologyKey, places: counted([other], term.topologyKey, deps) })
    }
  }
  return terms
}

function spreadOf(pod: Readonly<Pod>, deps: NeighbourDeps): (node: Readonly<Node>) => boolean {
  const constraints = (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
    .map(({ topologyKey, maxSkew, labelSelector }) => {
      const found = deps.pods
        .select(pod.metadata.namespace ?? '', selectorOf(labelSelector))
        .filter((other) => !isEnding(other))
      const places = counted(found, topologyKey, deps)
      let least = Infinity
      for (const node of deps.nodes.all()) {
        const place = node.metadata.labels?.[topologyKey]
        if (place !== undefined && nodeMatches(pod.spec, node))
          least = Math.min(least, places.get(place) ?? 0)
      }
      const self = selectorOf(labelSelector).matches(pod.metadata.labels) ? 1 : 0
      return { topologyKey, maxSkew, places, least, self }
    })
  return ({ metadata }) =>
    constraints.every(({ topologyKey, maxSkew, places, least, self }) => {
      const place = metadata.labels?.[topologyKey]
      return place !== undefined && (places.get(place) ?? 0) + self - least <= maxSkew
    })
}

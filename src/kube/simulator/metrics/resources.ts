/** metrics.k8s.io/v1beta1: what `kubectl top` and autoscalers read. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type ResourceDefinition } from '../../registry/strategy.js'
import { type Node } from '../../scheduling/types.js'
import { SIMULATED, WHAT_IT_IS } from '../labels.js'
import { containerUsage, isMeasured, nodeUsage, written } from './usage.js'

export interface MetricsDeps {
  pods: Collection<Pod>
  nodes: Collection<Node>
  podsOn: (node: string) => Iterable<Readonly<Pod>>
  clock: Clock
}

const GROUP_VERSION = { group: 'metrics.k8s.io', version: 'v1beta1' }

export function metricsResources({ pods, nodes, podsOn, clock }: MetricsDeps): ResourceDefinition[] {
  const isSimulated = (name: string): boolean => nodes.get('', name)?.metadata.labels?.[SIMULATED] === 'true'
  const head = (kind: string, object: Readonly<KubeObject>): KubeObject => {
    const { name = '', namespace, labels } = object.metadata
    const time = wireTime(clock.now())
    return {
      kind,
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: {
        name,
        ...(namespace && { namespace }),
        ...(labels && { labels }),
        annotations: { [WHAT_IT_IS]: 'Simulated: worked out from requests and the time, measured nowhere.' },
        creationTimestamp: time,
      },
      timestamp: time,
      window: '30s',
    }
  }
  const ofPod = (pod: Readonly<Pod>): KubeObject | undefined =>
    isMeasured(pod) && isSimulated(pod.spec.nodeName ?? '')
      ? {
          ...head('PodMetrics', pod),
          containers: (pod.spec.containers ?? []).map((container) => ({
            name: container.name,
            usage: written(containerUsage(pod, container, clock.now())),
          })),
        }
      : undefined
  const ofNode = (node: Readonly<Node>): KubeObject | undefined => {
    const { name = '' } = node.metadata
    return isSimulated(name)
      ? { ...head('NodeMetrics', node), usage: written(nodeUsage(name, podsOn(name), clock.now())) }
      : undefined
  }
  return [
    computedResource('nodes', 'NodeMetrics', false, {
      get: (_namespace, name) => mapped(nodes.get('', name), ofNode),
      list: () => [...nodes.all()].flatMap((node) => ofNode(node) ?? []),
    }),
    computedResource('pods', 'PodMetrics', true, {
      get: (namespace, name) => mapped(pods.get(namespace, name), ofPod),
      list: (namespace) =>
        [...(namespace === '' ? pods.all() : pods.inNamespace(namespace))].flatMap((pod) => ofPod(pod) ?? []),
    }),
  ]
}

function mapped<A, B>(value: A | undefined, map: (value: A) => B | undefined): B | undefined {
  return value === undefined ? undefined : map(value)
}

function computedResource(
  resource: string,
  kind: string,
  namespaced: boolean,
  computed: NonNullable<ResourceDefinition['computed']>,
): ResourceDefinition {
  return {
    ...GROUP_VERSION,
    resource,
    singular: '',
    kind,
    listKind: `${kind}List`,
    namespaced,
    verbs: ['get', 'list'],
    shortNames: [],
    categories: [],
    storageVersionHash: '',
    storage: GROUP_VERSION,
    keyPrefix: `/registry/metrics.k8s.io/${resource}`,
    strategy: {
      decode: (object) => object,
      applyDefaults() {},
      validate: () => [],
      validateUpdate: () => [],
      nameRule: 'subdomain',
      statusSubresource: false,
      hasGeneration: false,
      allowCreateOnUpdate: false,
      allowUnconditionalUpdate: false,
      columns: [],
      cells: () => [],
      schema: { structural: undefined, preserveUnknownFields: true },
    },
    subresources: [],
    custom: true,
    computed,
  }
}

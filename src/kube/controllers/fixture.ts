/** What tests of workload controllers share: the embedded API in this process, and a hand that plays the kubelet. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { RestClient } from '../../client/rest.js'
import { type Pod } from '../builtin/types.js'
import { type Kube, type KubeOptions, startKube } from '../index.js'
import { ManualClock } from '../registry/clock.js'

export interface Cluster {
  kube: Kube
  clock: ManualClock
  /** Plural resources with their group: `deployments.apps`. */
  create(resource: string, object: object, namespace?: string): Promise<KubeObject>
  patch(resource: string, name: string, change: object, subresource?: string): Promise<KubeObject>
  get<T = KubeObject>(resource: string, name: string): T | undefined
  list<T = KubeObject>(resource: string): T[]
  delete(resource: string, name: string, policy?: 'Foreground' | 'Orphan'): Promise<void>
  /** Sets the status of pods as a kubelet would; all that are not yet ready by default. */
  run(pods?: readonly Pod[], phase?: string): Promise<void>
  close(): Promise<void>
}

const VERSIONS: Readonly<Record<string, string>> = { autoscaling: 'v2' }

export async function startCluster(options: KubeOptions & { clock?: ManualClock } = {}): Promise<Cluster> {
  const { clock = new ManualClock(Date.UTC(2026, 0, 1)) } = options
  const kube = await startKube({ controllers: ['*'], ...options, clock })
  const client = new RestClient({ transport: kube.transport, user: kube.adminUser })
  const of = (name: string) => {
    const [resource = '', ...rest] = name.split('.')
    const group = rest.join('.')
    const version = VERSIONS[group] ?? 'v1'
    const { kind = '', namespaced = true } = kube.catalogue.get(group, version, resource) ?? {}
    return { group, resource, namespaced, client: client.resource({ group, version, resource, kind }) }
  }
  const get = <T>(name: string, object: string): T | undefined => {
    const { group, resource, namespaced } = of(name)
    return kube.objects.get<T>(group, resource, namespaced ? 'default' : '', object)
  }
  const list = <T>(name: string): T[] => {
    const { group, resource, namespaced } = of(name)
    return kube.objects.list<T>(group, resource, namespaced ? 'default' : '')
  }
  async function run(pods = list<Pod>('pods'), phase = 'Running'): Promise<void> {
    for (const { metadata, spec, status } of pods) {
      if (status.phase === phase && phase !== 'Running') continue
      const ready = phase === 'Running'
      if (ready && status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
        continue
      const lastTransitionTime = new Date(clock.now()).toISOString().slice(0, 19) + 'Z'
      const podIP = `10.0.0.${1 + (Number.parseInt((metadata.uid ?? '').slice(0, 2), 16) % 254)}`
      const change = {
        status: {
          phase,
          podIP,
          podIPs: [{ ip: podIP }],
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
          containerStatuses: (spec.containers ?? []).map(({ name, image = '' }) => ({
            name,
            image,
            imageID: '',
            ready,
            restartCount: 0,
            ...(!ready && {
              state: { terminated: { exitCode: phase === 'Failed' ? 1 : 0, finishedAt: lastTransitionTime } },
            }),
          })),
        },
      }
      const name = metadata.name ?? ''
      await of('pods').client.patch(name, 'merge', change, { namespace: 'default', subresource: 'status' })
    }
  }
  return {
    kube,
    clock,
    get,
    list,
    run,
    create: (name, object, namespace = 'default') => {
      const { client: resource, namespaced } = of(name)
      return resource.create(object as KubeObject, namespaced ? { namespace } : {})
    },
    patch: (name, object, change, subresource) => {
      const { client: resource, namespaced } = of(name)
      return resource.patch(object, 'merge', change, {
        ...(namespaced && { namespace: 'default' }),
        ...(subresource !== undefined && { subresource }),
      })
    },
    async delete(name, object, propagationPolicy) {
      const { client: resource, namespaced } = of(name)
      await resource.delete(object, {
        ...(namespaced && { namespace: 'default' }),
        ...(propagationPolicy && { propagationPolicy }),
      })
    },
    close: () => kube.close(),
  }
}

export const podTemplate = (app: string, image = 'nginx:1', more: object = {}): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image }], automountServiceAccountToken: false, ...more },
})

export function workload(name: string, spec: object = {}): object {
  return {
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: podTemplate(name), ...spec },
  }
}

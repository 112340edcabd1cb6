/** What applications, releases and services are made of, read from the Kubernetes API with the server's own rights. */
import { isNotFound } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { canBeName, type ListCallOptions, type RestClient } from '../../client/rest.js'
import { type Members } from './selection.js'

const APPLICATIONS = { group: 'app.k8s.io', version: 'v1beta1', resource: 'applications' }
const RELEASES = { group: 'application.kubesphere.io', version: 'v1alpha1', resource: 'helmreleases' }
const SERVICES = { group: '', version: 'v1', resource: 'services' }
const PODS = { group: '', version: 'v1', resource: 'pods' }
const WORKLOADS = [
  ['deployments', 'Deployment'],
  ['statefulsets', 'StatefulSet'],
  ['daemonsets', 'DaemonSet'],
] as const

const VERSION = 'app.kubernetes.io/version'
/** On a release, the namespace it is installed in; on what is installed, the release. */
const RELEASE_NAMESPACE = 'kubesphere.io/namespace'
const INSTANCE = 'app.kubernetes.io/instance'

type Application = KubeObject & { status?: { components?: { kind?: string; name?: string }[] } }
type Release = KubeObject & { spec?: { name?: string; chartVersion?: string } }
type Service = KubeObject & { spec?: { selector?: Record<string, string> } }

export class MeteredMembers {
  constructor(private readonly client: RestClient) {}

  /** @param named `name:version` or `name`; empty: all */
  async applications(namespace: string, named: readonly string[], signal: AbortSignal): Promise<Members[]> {
    const found = await this.#list<Application>(APPLICATIONS, { namespace, signal })
    return found
      .map(({ metadata, status }) => {
        const version = metadata.labels?.[VERSION] ?? ''
        return {
          name: version === '' ? (metadata.name ?? '') : `${metadata.name ?? ''}:${version}`,
          members: (status?.components ?? []).map(({ kind = '', name = '' }) => `${kind}:${name}`),
        }
      })
      .filter(({ name }) => named.length === 0 || named.includes(name) || named.includes(`${name}:`))
      .filter(hasMembers)
  }

  /** @param ids of releases; empty: all */
  async releases(namespace: string, ids: readonly string[], signal: AbortSignal): Promise<Members[]> {
    const labelSelector = `${RELEASE_NAMESPACE}=${namespace}`
    const releases = (await this.#list<Release>(RELEASES, { labelSelector, signal })).filter(
      ({ metadata }) => ids.length === 0 || ids.includes(metadata.name ?? ''),
    )
    if (releases.length === 0) return []
    const workloads = await this.#workloads(namespace, signal)
    return releases
      .map(({ metadata, spec: { name = metadata.name ?? '', chartVersion = '' } = {} }) => ({
        name: chartVersion === '' ? name : `${name}:${chartVersion}`,
        members: workloads.get(name) ?? [],
      }))
      .filter(hasMembers)
  }

  /** @param named empty: all */
  async services(namespace: string, named: readonly string[], signal: AbortSignal): Promise<Members[]> {
    const found = (await this.#list<Service>(SERVICES, { namespace, signal })).filter(
      ({ metadata, spec }) =>
        Object.keys(spec?.selector ?? {}).length > 0 &&
        (named.length === 0 || named.includes(metadata.name ?? '')),
    )
    if (found.length === 0) return []
    const pods = await this.#list(PODS, { namespace, signal })
    return found
      .map(({ metadata, spec }) => {
        const selector = Object.entries(spec?.selector ?? {})
        const own = pods.filter((pod) =>
          selector.every(([key, value]) => pod.metadata.labels?.[key] === value),
        )
        return { name: metadata.name ?? '', members: own.map((pod) => pod.metadata.name ?? '') }
      })
      .filter(hasMembers)
  }

  /** By release, of all kinds. */
  async #workloads(namespace: string, signal: AbortSignal): Promise<Map<string, string[]>> {
    const byRelease = new Map<string, string[]>()
    for (const [resource, kind] of WORKLOADS) {
      const type = { group: 'apps', version: 'v1', resource }
      for (const { metadata } of await this.#list(type, { namespace, labelSelector: INSTANCE, signal })) {
        const release = metadata.labels?.[INSTANCE] ?? ''
        byRelease.set(release, [...(byRelease.get(release) ?? []), `${kind}:${metadata.name ?? ''}`])
      }
    }
    return byRelease
  }

  /** Nothing where the kind is not served, and in what can be no namespace. */
  async #list<T extends KubeObject>(
    type: { group: string; version: string; resource: string },
    options: ListCallOptions,
  ): Promise<T[]> {
    if (options.namespace !== undefined && !canBeName(options.namespace)) return []
    const found: T[] = []
    try {
      for await (const page of this.client.resource<T>(type).pages(options)) found.push(...page)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return found
  }
}

function hasMembers({ members }: Members): boolean {
  return members.length > 0
}

/** `a|b`, without empty ones. */
export function listed(text: string | null): string[] {
  return (text ?? '').split('|').filter((item) => item !== '')
}

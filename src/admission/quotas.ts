/**
 * `resourcesquotas.quota.kubesphere.io`: what is created in a project fits into the quotas of its workspace and of the
 * namespace (iam-tenant.md §8).
 *
 * What is used is written to the workspace's quota before the object is stored; the controller takes back what then was
 * not stored. Requests that one quota is about are judged one after the other, so that two cannot both get the last
 * place; between processes the version of the quota sees to that.
 */
import {
  ADMITTED,
  type AdmissionResponse,
  type AdmissionReviewRequest,
  refused,
  type ValidatingWebhook,
} from '../apimachinery/admission/index.js'
import { forbidden, isConflict, isNotFound } from '../apimachinery/errors/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { InvalidQuantity } from '../apimachinery/quantity/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import {
  type GroupResource,
  judge,
  type NamespaceQuotaObject,
  type Quota,
  type QuotaSelectors,
} from '../tenancy/quota/index.js'
import { type NamespaceObject, type WorkspaceQuotaObject } from '../tenancy/types.js'
import { type NamespaceQuotas } from './namespacequotas.js'
import { Serialized } from './serialized.js'
import { charged, chargeable, type ChargeableQuota } from './workspacequotas.js'

export interface QuotaWebhookDeps {
  quotas: CachedResource<WorkspaceQuotaObject>
  /** Follows `quotas`. */
  selectors: QuotaSelectors
  namespaces: CachedResource<NamespaceObject>
  /** Absent where Kubernetes itself sees to the quotas of namespaces. */
  namespaceQuotas?: NamespaceQuotas
  now: () => number
}

const rule = (
  group: string,
  version: string,
  resources: string[],
  ...operations: ('CREATE' | 'UPDATE')[]
) => ({
  group,
  version,
  resources,
  operations,
})

/** What is enforced: pods and what else takes of a project, and the kinds that quotas usually count. */
export const ENFORCED = [
  rule('', 'v1', ['pods', 'configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'], 'CREATE'),
  rule('', 'v1', ['services', 'persistentvolumeclaims'], 'CREATE', 'UPDATE'),
  rule('apps', 'v1', ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], 'CREATE'),
  rule('batch', 'v1', ['jobs', 'cronjobs'], 'CREATE'),
  rule('batch', 'v1beta1', ['cronjobs'], 'CREATE'),
  rule('extensions', 'v1beta1', ['ingresses'], 'CREATE'),
  rule('networking.k8s.io', 'v1', ['ingresses'], 'CREATE'),
]

const TRIES = 5

interface Asked {
  request: AdmissionReviewRequest
  namespace: string
  object: KubeObject
  /** Names. */
  ofWorkspace: readonly string[]
  ofNamespace: readonly Readonly<NamespaceQuotaObject>[]
}

export function quotaWebhook(deps: QuotaWebhookDeps): ValidatingWebhook {
  const { quotas, selectors, namespaces, namespaceQuotas, now } = deps
  const serialized = new Serialized()

  /** Judges, and writes what is used. @throws StatusError 409 when somebody else has written a quota meanwhile */
  async function attempt(
    { request, namespace, object, ofWorkspace, ofNamespace }: Asked,
    read: (name: string) => Promise<Readonly<WorkspaceQuotaObject> | undefined>,
    signal: AbortSignal,
  ): Promise<AdmissionResponse> {
    const type: GroupResource = { group: request.resource.group, resource: request.resource.resource }
    const chargeables = (await Promise.all(ofWorkspace.map(read))).flatMap(chargeable)
    const counted = (await namespaceQuotas?.counted(ofNamespace, signal)) ?? []
    const verdict = judge<Quota | ChargeableQuota>({
      type,
      object,
      before: request.oldObject ?? undefined,
      quotas: [...chargeables, ...counted],
      now: now(),
    })
    if (verdict.refusal !== undefined) {
      const name = object.metadata.name ?? request.name ?? ''
      const shown = name === '' ? (object.metadata.generateName ?? '') : name
      return refused(403, 'Forbidden', forbidden(type, shown, verdict.refusal).message)
    }
    if (request.dryRun) return ADMITTED
    for (const { quota, delta } of verdict.charges) {
      if (!('source' in quota)) continue
      const patch = charged(quota, namespace, delta)
      await quotas.patch(quota.name, 'merge', patch, { subresource: 'status', signal })
    }
    namespaceQuotas?.expect(type, object, verdict.charges)
    return ADMITTED
  }

  return {
    name: 'resourcesquotas.quota.kubesphere.io',
    path: '/validate-quota-kubesphere-io-v1alpha2',
    rules: ENFORCED,
    // A quota is about fair shares. Without anybody to ask, pods must still be replaced when a node is lost.
    failurePolicy: 'Ignore',
    sideEffects: 'NoneOnDryRun',
    async handle(request, signal) {
      const { namespace: name = '', subResource = '', object } = request
      if (name === '' || subResource !== '' || !object) return ADMITTED
      await quotas.pending()
      await namespaces.pending()
      // A namespace that is too new for the cache is asked for.
      const found = namespaces.get(name) ?? (await there(namespaces.client.get(name, { signal })))
      if (found === undefined) return ADMITTED // Refused for another reason.
      const ofWorkspace = [...selectors.matching(found.metadata.labels ?? {})]
      const ofNamespace = (await namespaceQuotas?.in(name)) ?? []
      if (ofWorkspace.length + ofNamespace.length === 0) return ADMITTED

      const asked = { request, namespace: name, object, ofWorkspace, ofNamespace }
      const keys = [...ofWorkspace, ...ofNamespace.map((quota) => `${name}/${quota.metadata.name ?? ''}`)]
      const cached = (quota: string) => Promise.resolve(quotas.get(quota))
      const stored = (quota: string) => there(quotas.client.get(quota, { signal }))
      return serialized.run(keys, async () => {
        for (let tries = 1; ; tries++) {
          try {
            return await attempt(asked, tries === 1 ? cached : stored, signal)
          } catch (error) {
            if (error instanceof InvalidQuantity) return refused(400, 'BadRequest', error.message)
            if (!isConflict(error)) throw error
            if (tries === TRIES)
              return refused(
                409,
                'Conflict',
                'the quota has been changed by others at the same time; try again',
              )
          }
        }
      })
    },
  }
}

/** @returns undefined for what is not found */
async function there<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

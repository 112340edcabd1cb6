/** The federated copies of multi-cluster installations (types.kubefed.io). */
import { type CachedObject } from '../../client/cache/interface.js'
import { byField, kind, listAt, textAt, type AnyKind } from '../kind.js'

interface FederatedFields {
  updated: string
  type: string
  storageClass: string
}

const byUpdate = (a: CachedObject<FederatedFields>, b: CachedObject<FederatedFields>): number =>
  a.fields.updated < b.fields.updated
    ? -1
    : a.fields.updated > b.fields.updated
      ? 1
      : a.creationTimestamp - b.creationTimestamp

const filtersOf: Readonly<Record<string, AnyKind['filters']>> = {
  federatedsecrets: { type: byField<FederatedFields>(({ type }, value) => type === value) } as never,
  federatedpersistentvolumeclaims: {
    storageClassName: byField<FederatedFields>(({ storageClass }, value) => storageClass === value),
  } as never,
}

function federated(resource: string): AnyKind {
  const sortable = resource === 'federateddeployments' || resource === 'federatedapplications'
  const filters = filtersOf[resource]
  return kind<FederatedFields>({
    group: 'types.kubefed.io',
    versions: ['v1beta1'],
    resource,
    singular: `${resource.slice(0, -1)}.types.kubefed.io`,
    namespaced: true,
    cache: {
      extract: (object) => ({
        updated: listAt(object, 'status', 'conditions').reduce<string>((newest, condition) => {
          const time = textAt(condition, 'lastUpdateTime')
          return time > newest ? time : newest
        }, ''),
        type: textAt(object, 'spec', 'template', 'type'),
        storageClass: textAt(object, 'spec', 'template', 'spec', 'storageClassName'),
      }),
    },
    ...(filters && { filters: filters as never }),
    ...(sortable && { sorts: { updateTime: byUpdate, lastUpdateTimestamp: byUpdate } }),
    ignoresNamespace: resource === 'federatednamespaces',
  })
}

export const federatedKinds: AnyKind[] = [
  'federatednamespaces',
  'federateddeployments',
  'federatedapplications',
  'federatedsecrets',
  'federatedconfigmaps',
  'federatedservices',
  'federatedingresses',
  'federatedstatefulsets',
  'federatedpersistentvolumeclaims',
].map(federated)

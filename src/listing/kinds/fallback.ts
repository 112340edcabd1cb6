/**
 * Kinds that v1alpha3 hands to the older getters, with their query language (resources.md §3.6): `name` also looks
 * at the alias, `label=k:v`, any other key is a label, sorted by name, and a missing object is a proper 404.
 */
import { own } from '../../apimachinery/json/value.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type CachedObject } from '../../client/cache/interface.js'
import {
  kind,
  listAt,
  read,
  textAt,
  timeAt,
  type AnyKind,
  type Filter,
  type KindDefinition,
} from '../kind.js'

const ALIAS = 'kubesphere.io/alias-name'
const PVC_COUNT = 'kubesphere.io/pvc-count'
const CLASS_INDEX = 'class'

export interface LegacyFields {
  alias: string
  status: string
  owners: readonly string[]
  /** Values of type-specific keys. */
  keys: Readonly<Record<string, string>>
  /** Milliseconds. */
  scheduled: number
}

const byName = (a: CachedObject<LegacyFields>, b: CachedObject<LegacyFields>): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0
const byTime = (a: CachedObject<LegacyFields>, b: CachedObject<LegacyFields>): number =>
  a.creationTimestamp - b.creationTimestamp ||
  (a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : 0) ||
  byName(a, b)
const bySchedule = (a: CachedObject<LegacyFields>, b: CachedObject<LegacyFields>): number =>
  a.fields.scheduled - b.fields.scheduled || byName(a, b)

const NEVER: Filter<LegacyFields> = () => ({ matches: () => false })

const filters: Readonly<Record<string, Filter<LegacyFields>>> = {
  name: (value) => ({ matches: ({ name, fields }) => name.includes(value) || fields.alias.includes(value) }),
  names(value) {
    const names = new Set(value.split(','))
    return { matches: ({ name }) => names.has(name) }
  },
  status: (value) => ({ matches: ({ fields }) => fields.status === value }),
  ownerReference: (value) => ({ matches: ({ fields }) => fields.owners.includes(value) }),
  label(value) {
    const position = value.indexOf(':')
    if (position === -1) return { matches: ({ labels }) => labels['label'] === value }
    const key = value.slice(0, position)
    const wanted = value.slice(position + 1)
    return { matches: ({ labels }) => own(labels, key) === wanted }
  },
  annotation: NEVER,
}

/** A key of no filter: the kind's own, else a label. */
export function legacyFilter(key: string): Filter<LegacyFields> {
  return (
    own(filters, key) ??
    ((value) => ({
      matches: ({ labels, fields }) => (own(fields.keys, key) ?? own(labels, key)) === value,
    }))
  )
}

interface LegacyOptions {
  group: string
  versions: readonly string[]
  resource: string
  namespaced: boolean
  status?: (object: KubeObject) => string
  keys?: (object: KubeObject) => Record<string, string>
  sorts?: KindDefinition<LegacyFields>['sorts']
  annotations?: KindDefinition<LegacyFields>['annotations']
}

function legacy({ status, keys, sorts, annotations, resource, group, ...rest }: LegacyOptions): AnyKind {
  const singular = resource === 'storageclasses' ? 'storageclass' : resource.slice(0, -1)
  return kind<LegacyFields>({
    ...rest,
    group,
    resource,
    singular: `${singular}.${group}`,
    legacy: true,
    cache: {
      extract: (object) => ({
        alias: object.metadata.annotations?.[ALIAS] ?? '',
        status: status?.(object) ?? '',
        owners: listAt(object, 'metadata', 'ownerReferences').map((owner) => textAt(owner, 'uid')),
        keys: keys?.(object) ?? {},
        scheduled: timeAt(object, 'status', 'lastScheduleTime'),
      }),
    },
    sorts: { createTime: byTime, ...sorts },
    ...(annotations && { annotations }),
  })
}

const claimsByClass: KindDefinition<{ storageClass: string }> = {
  group: '',
  versions: ['v1'],
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  namespaced: true,
}

const DEVOPS = 'devops.kubesphere.io'

export const fallbackKinds: AnyKind[] = [
  legacy({
    group: 'batch',
    versions: ['v1beta1', 'v1'],
    resource: 'cronjobs',
    namespaced: true,
    status: (object) => (read(object, 'spec', 'suspend') === true ? 'paused' : 'running'),
    sorts: { lastScheduleTime: bySchedule },
  }),
  legacy({
    group: 'autoscaling',
    versions: ['v2beta2', 'v2'],
    resource: 'horizontalpodautoscalers',
    namespaced: true,
    keys: (object) => ({
      targetKind: textAt(object, 'spec', 'scaleTargetRef', 'kind'),
      targetName: textAt(object, 'spec', 'scaleTargetRef', 'name'),
    }),
  }),
  legacy({
    group: 'storage.k8s.io',
    versions: ['v1'],
    resource: 'storageclasses',
    namespaced: false,
    annotations({ name }, stores, single) {
      if (single) return {} // Only lists count the claims.
      let count = 0
      for (const _ of stores.of(claimsByClass).index(CLASS_INDEX, name)) count++
      return { [PVC_COUNT]: String(count) }
    },
  }),
  legacy({
    group: DEVOPS,
    versions: ['v1alpha1'],
    resource: 's2iruns',
    namespaced: true,
    status: (object) => textAt(object, 'status', 'runState'),
  }),
  legacy({ group: DEVOPS, versions: ['v1alpha1'], resource: 's2ibuilders', namespaced: true }),
  legacy({ group: DEVOPS, versions: ['v1alpha1'], resource: 's2ibuildertemplates', namespaced: false }),
]

/** Used by the claims' cache so that storage classes can count them. */
export function classOfClaim(object: KubeObject): string[] {
  const name =
    textAt(object, 'spec', 'storageClassName') ||
    object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class']
  return name === undefined || name === '' ? [] : [name]
}

export { CLASS_INDEX }

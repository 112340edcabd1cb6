/** Volumes, claims, snapshots (resources.md §3.5.6, §3.5.7). */
import { byField, kind, read, textAt, type AnyKind, type KindDefinition } from '../kind.js'
import { CLASS_INDEX, classOfClaim } from './fallback.js'
import { CLAIM_INDEX, podKind } from './pods.js'

interface VolumeFields {
  phase: string
  storageClass: string | undefined
  provisioner: string
}

const volumeFilters = {
  status: byField<VolumeFields>(({ phase }, value) => phase.toLowerCase() === value.toLowerCase()),
  storageClassName: byField<VolumeFields>(({ storageClass }, value) => storageClass === value),
}

function optionalText(object: unknown, ...path: string[]): string | undefined {
  const value = read(object, ...path)
  return typeof value === 'string' ? value : undefined
}

const SNAPSHOT = 'snapshot.storage.k8s.io'
const DRIVER_INDEX = 'driver'

const snapshotClassKind: KindDefinition<{ driver: string; deletionPolicy: string }> = {
  group: SNAPSHOT,
  versions: ['v1'],
  resource: 'volumesnapshotclasses',
  singular: `volumesnapshotclass.${SNAPSHOT}`,
  namespaced: false,
  cache: {
    extract: (object) => ({
      driver: textAt(object, 'driver'),
      deletionPolicy: textAt(object, 'deletionPolicy'),
    }),
    indexes: { [DRIVER_INDEX]: (_object, { driver }) => [driver] },
  },
}

const CLAIM_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'

const claims = kind<VolumeFields>({
  group: '',
  versions: ['v1'],
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  namespaced: true,
  cache: {
    extract: (object) => ({
      phase: textAt(object, 'status', 'phase'),
      storageClass: optionalText(object, 'spec', 'storageClassName'),
      provisioner: object.metadata.annotations?.[CLAIM_PROVISIONER] ?? '',
    }),
    indexes: { [CLASS_INDEX]: classOfClaim },
  },
  filters: volumeFilters,
  annotations({ namespace, name, fields }, stores) {
    const mounted = some(stores.of(podKind).index(CLAIM_INDEX, `${namespace}/${name}`))
    const canSnapshot =
      fields.provisioner !== '' && some(stores.of(snapshotClassKind).index(DRIVER_INDEX, fields.provisioner))
    return { 'kubesphere.io/in-use': String(mounted), 'kubesphere.io/allow-snapshot': String(canSnapshot) }
  },
})

function some(items: Iterable<unknown>): boolean {
  for (const _ of items) return true
  return false
}

const volumes = kind<VolumeFields>({
  group: '',
  versions: ['v1'],
  resource: 'persistentvolumes',
  singular: 'persistentvolume',
  namespaced: false,
  cache: {
    extract: (object) => ({
      phase: textAt(object, 'status', 'phase'),
      storageClass: optionalText(object, 'spec', 'storageClassName'),
      provisioner: '',
    }),
  },
  filters: volumeFilters,
})

interface SnapshotFields {
  status: string
  snapshotClass: string | undefined
  claim: string | undefined
}

const snapshots = kind<SnapshotFields>({
  group: SNAPSHOT,
  versions: ['v1'],
  resource: 'volumesnapshots',
  singular: `volumesnapshot.${SNAPSHOT}`,
  namespaced: true,
  cache: {
    extract: (object) => ({
      status:
        object.metadata.deletionTimestamp !== undefined
          ? 'deleting'
          : read(object, 'status', 'readyToUse') === true
            ? 'ready'
            : 'creating',
      snapshotClass: optionalText(object, 'spec', 'volumeSnapshotClassName'),
      claim: optionalText(object, 'spec', 'source', 'persistentVolumeClaimName'),
    }),
  },
  filters: {
    status: byField<SnapshotFields>(({ status }, value) => status === value),
    volumeSnapshotClassName: byField<SnapshotFields>(({ snapshotClass }, value) => snapshotClass === value),
    persistentVolumeClaimName: byField<SnapshotFields>(({ claim }, value) => claim === value),
  },
})

export const storageKinds: AnyKind[] = [claims, volumes, snapshots]

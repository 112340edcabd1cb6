/**
 * Claims and volumes: the default class, finalizers that keep what is in use (DefaultStorageClass,
 * StorageObjectInUseProtection), and whether a claim may grow (PersistentVolumeClaimResize).
 */
import { parseQuantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type PersistentVolumeClaim } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin } from '../registry/strategy.js'
import { isAbout, refusal } from './refusal.js'

const CLAIMS = 'persistentvolumeclaims'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'
const DEFAULTS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

interface StorageClass extends KubeObject {
  allowVolumeExpansion?: boolean
}

/** `""` says that there is to be no class, which is not the same as saying nothing. */
function classOf({ metadata, spec }: Readonly<PersistentVolumeClaim>): string | undefined {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName
}

export function defaultStorageClass(objects: Objects): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    admit(request) {
      if (request.operation !== 'CREATE' || !isAbout(request, '', CLAIMS) || !request.object) return
      const claim = request.object as PersistentVolumeClaim
      if (classOf(claim) !== undefined) return
      const classes = objects
        .list('storage.k8s.io', 'storageclasses')
        .filter(({ metadata }) => DEFAULTS.some((name) => metadata.annotations?.[name] === 'true'))
      if (classes.length > 1) {
        throw refusal(request, `Internal error occurred: ${classes.length} default StorageClasses were found`)
      }
      const name = classes[0]?.metadata.name
      if (name !== undefined) claim.spec.storageClassName = name
    },
  }
}

export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection'
export const VOLUME_FINALIZER = 'kubernetes.io/pv-protection'

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(request) {
    const { object, operation } = request
    if (!object || operation !== 'CREATE') return
    const finalizer = isAbout(request, '', CLAIMS)
      ? CLAIM_FINALIZER
      : isAbout(request, '', 'persistentvolumes')
        ? VOLUME_FINALIZER
        : undefined
    const { metadata } = object
    if (finalizer === undefined || metadata.finalizers?.includes(finalizer)) return
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  },
}

export function claimResize(objects: Objects): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(request) {
      const { object, previous, operation } = request
      if (operation !== 'UPDATE' || !isAbout(request, '', CLAIMS) || !object || !previous) return
      const [after, before] = [object as PersistentVolumeClaim, previous as PersistentVolumeClaim]
      if (sizeOf(before).compare(sizeOf(after)) >= 0) return
      if (before.status.phase !== 'Bound') {
        throw refusal(request, 'Only bound persistent volume claims can be expanded')
      }
      const name = classOf(after)
      const storageClass = name
        ? objects.get<StorageClass>('storage.k8s.io', 'storageclasses', '', name)
        : undefined
      if (storageClass?.allowVolumeExpansion) return
      throw refusal(
        request,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
    },
  }
}

function sizeOf({ spec }: Readonly<PersistentVolumeClaim>): ReturnType<typeof parseQuantity> {
  return parseQuantity(spec.resources.requests?.['storage'] ?? '0')
}

/** Volumes, claims and classes as the binder sees them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type LabelSelector,
  type NodeSelectorTerm,
  type ObjectReference,
  type PersistentVolumeClaim,
  type ResourceList,
} from '../../builtin/types.js'

export interface PersistentVolume extends KubeObject {
  spec: {
    capacity?: ResourceList
    accessModes?: string[]
    claimRef?: ObjectReference & { resourceVersion?: string }
    persistentVolumeReclaimPolicy?: string
    storageClassName?: string
    volumeMode?: string
    nodeAffinity?: { required?: { nodeSelectorTerms: NodeSelectorTerm[] | null } }
    hostPath?: { path: string; type?: string }
    [source: string]: unknown
  }
  status: { phase?: string; message?: string; reason?: string }
}

export interface Claim extends PersistentVolumeClaim {
  spec: PersistentVolumeClaim['spec'] & { selector?: LabelSelector }
}

export interface StorageClass extends KubeObject {
  provisioner: string
  reclaimPolicy?: string
  volumeBindingMode?: string
}

/** Of the class that exists where nodes are simulated: its volumes hold nothing. */
export const SIMULATED_PROVISIONER = 'simulated.orrery.dev/volume'
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'

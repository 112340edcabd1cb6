/** Claims of a pod: whether they can be used at all, and on which node. */
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import {
  type Claim,
  type PersistentVolume,
  SELECTED_NODE,
  type StorageClass,
} from '../../controllers/persistentvolume/types.js'
import { isEnding } from '../../controllers/pods/state.js'
import { type Stored } from '../../controllers/stored.js'
import { termMatches } from '../../scheduling/nodeaffinity.js'
import { type Node } from '../../scheduling/types.js'

export interface VolumeDeps {
  claims: Stored<Claim>
  volumes: Collection<PersistentVolume>
  classes: Collection<StorageClass>
}

export interface PodVolumes {
  /** Why the pod has to wait whatever the node. */
  fault?: string
  /** Those that are bound once a node is chosen. */
  late: Readonly<Claim>[]
  bound: Readonly<PersistentVolume>[]
}

export function volumesOf(pod: Readonly<Pod>, { claims, volumes, classes }: VolumeDeps): PodVolumes {
  const found: PodVolumes = { late: [], bound: [] }
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (!persistentVolumeClaim) continue
    const { claimName } = persistentVolumeClaim
    const claim = claims.get(pod.metadata.namespace ?? '', claimName)
    if (!claim) return { ...found, fault: `persistentvolumeclaim ${JSON.stringify(claimName)} not found` }
    if (isEnding(claim)) {
      return { ...found, fault: `persistentvolumeclaim ${JSON.stringify(claimName)} is being deleted` }
    }
    const volume = claim.spec.volumeName ? volumes.get('', claim.spec.volumeName) : undefined
    if (claim.status.phase === 'Bound' && volume) found.bound.push(volume)
    else if (
      classes.get('', claim.spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer'
    ) {
      found.late.push(claim)
    } else return { ...found, fault: 'pod has unbound immediate PersistentVolumeClaims.' }
  }
  return found
}

export function volumesFault({ bound }: PodVolumes, node: Readonly<Node>): string | undefined {
  const isHere = bound.every(({ spec }) => {
    const terms = spec.nodeAffinity?.required?.nodeSelectorTerms
    return !terms || terms.some((term) => termMatches(term, node))
  })
  return isHere ? undefined : 'node(s) had volume node affinity conflict'
}

/** Tells the binder where; it binds, and that brings the pod here again. */
export async function chooseNode(
  { late }: PodVolumes,
  node: string,
  claims: Stored<Claim>,
  signal: AbortSignal,
): Promise<void> {
  for (const claim of late) {
    if (claim.metadata.annotations?.[SELECTED_NODE] !== undefined) continue
    await claims.update(
      claim,
      ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, [SELECTED_NODE]: node }
      },
      signal,
    )
  }
}

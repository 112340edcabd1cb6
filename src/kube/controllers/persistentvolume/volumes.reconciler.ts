/** The phase of volumes, and what becomes of one whose claim is gone. */
import { type EventRecorder, type Reconciler, type Request } from '../../../controller/index.js'
import { subjectOf } from '../pods/create.js'
import { isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'
import { type Claim, type PersistentVolume, PROVISIONED_BY, SIMULATED_PROVISIONER } from './types.js'

export interface VolumesDeps {
  claims: Stored<Claim>
  volumes: Stored<PersistentVolume>
  recorder: EventRecorder
}

export class VolumesReconciler implements Reconciler {
  constructor(private readonly deps: VolumesDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { volumes, claims } = this.deps
    const volume = volumes.get('', name)
    if (!volume || isEnding(volume)) return
    const { claimRef } = volume.spec
    // A reference without a uid only reserves the volume.
    if (!claimRef?.uid) return volumes.updateStatus(volume, { phase: 'Available' }, signal)
    const claim = claims.get(claimRef.namespace ?? '', claimRef.name ?? '')
    if (claim?.metadata.uid === claimRef.uid) {
      if (claim.spec.volumeName === name) await volumes.updateStatus(volume, { phase: 'Bound' }, signal)
      return
    }
    if (volume.spec.persistentVolumeReclaimPolicy !== 'Delete') {
      return volumes.updateStatus(volume, { phase: 'Released' }, signal)
    }
    if (volume.metadata.annotations?.[PROVISIONED_BY] === SIMULATED_PROVISIONER) {
      await volumes.updateStatus(volume, { phase: 'Released' }, signal)
      await volumes.delete(volume, {}, signal)
      return
    }
    const message = 'no simulated storage made this volume: it has to be removed by hand'
    this.deps.recorder.event(subjectOf(volume), 'Warning', 'VolumeFailedDelete', message)
    await volumes.updateStatus(volume, { phase: 'Failed', message }, signal)
  }
}

/** Binds claims to volumes: the smallest that fits, or one made for the claim where its class can be simulated. */
import { Quantity } from '../../../apimachinery/quantity/quantity.js'
import { type EventRecorder, type Reconciler, type Request } from '../../../controller/index.js'
import { type Collection, selectorOf } from '../collections.js'
import { subjectOf } from '../pods/create.js'
import { isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  type Claim,
  DEFAULT_CLASS,
  type PersistentVolume,
  PROVISIONED_BY,
  SELECTED_NODE,
  SIMULATED_PROVISIONER,
  STORAGE_PROVISIONER,
  type StorageClass,
} from './types.js'

export interface ClaimsDeps {
  claims: Stored<Claim>
  volumes: Stored<PersistentVolume>
  classes: Collection<StorageClass>
  recorder: EventRecorder
}

const nameOf = ({ metadata }: { readonly metadata: { name?: string } }): string => metadata.name ?? ''

export class ClaimsReconciler implements Reconciler {
  constructor(private readonly deps: ClaimsDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { claims, volumes } = this.deps
    const claim = claims.get(namespace, name)
    if (!claim || isEnding(claim)) return
    const { volumeName } = claim.spec
    const isBound = claim.metadata.annotations?.[BIND_COMPLETED] !== undefined
    if (volumeName) {
      const volume = volumes.get('', volumeName)
      if (!volume) {
        if (isBound) await claims.updateStatus(claim, { phase: 'Lost' }, signal)
        return
      }
      const { claimRef } = volume.spec
      const isOurs =
        claimRef?.name === name &&
        claimRef.namespace === namespace &&
        (claimRef.uid ?? claim.metadata.uid) === claim.metadata.uid
      if (isOurs || !claimRef) await this.#bind(claim, volume, isBound, signal)
      else if (isBound) await claims.updateStatus(claim, { phase: 'Lost' }, signal)
      return
    }
    const found = this.#bestVolume(claim)
    if (found) return this.#bind(claim, found, false, signal)
    await this.#provision(claim, signal)
  }

  #className(claim: Readonly<Claim>): string {
    const { storageClassName } = claim.spec
    if (storageClassName !== undefined) return storageClassName
    const standard = [...this.deps.classes.all()].find(
      ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true',
    )
    return standard ? nameOf(standard) : ''
  }

  #bestVolume(claim: Readonly<Claim>): Readonly<PersistentVolume> | undefined {
    const wanted = Quantity.parse(claim.spec.resources.requests?.['storage'] ?? '0')
    const className = this.#className(claim)
    const selector = claim.spec.selector && selectorOf(claim.spec.selector)
    let best: { volume: Readonly<PersistentVolume>; size: Quantity } | undefined
    for (const volume of this.deps.volumes.collection.all()) {
      const { spec, status, metadata } = volume
      const { claimRef } = spec
      const isMeant =
        claimRef?.name === nameOf(claim) &&
        claimRef.namespace === claim.metadata.namespace &&
        (claimRef.uid ?? claim.metadata.uid) === claim.metadata.uid
      if ((claimRef && !isMeant) || isEnding(volume)) continue
      const size = Quantity.parse(spec.capacity?.['storage'] ?? '0')
      if (
        size.compare(wanted) < 0 ||
        (spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')
      )
        continue
      if (isMeant) return volume
      if (status.phase !== 'Available' || (spec.storageClassName ?? '') !== className) continue
      if (!(claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) continue
      if (selector && !selector.matches(metadata.labels)) continue
      if (!best || size.compare(best.size) < 0) best = { volume, size }
    }
    return best?.volume
  }

  async #bind(
    claim: Readonly<Claim>,
    volume: Readonly<PersistentVolume>,
    isBound: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { claims, volumes } = this.deps
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata
    if (volume.spec.claimRef?.uid !== uid) {
      const claimRef = {
        kind: 'PersistentVolumeClaim',
        namespace,
        name,
        uid,
        apiVersion: 'v1',
        resourceVersion,
      }
      const chosen = volume.spec.claimRef === undefined
      await volumes.update(
        volume,
        (current) => {
          current.spec.claimRef = claimRef
          if (chosen)
            current.metadata.annotations = { ...current.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' }
        },
        signal,
      )
    }
    await volumes.updateStatus(volume, { phase: 'Bound' }, signal)
    if (!isBound || !claim.spec.volumeName) {
      const chosen = !claim.spec.volumeName
      await claims.update(
        claim,
        (current) => {
          current.spec.volumeName = nameOf(volume)
          current.metadata.annotations = {
            ...current.metadata.annotations,
            [BIND_COMPLETED]: 'yes',
            ...(chosen && { [BOUND_BY_CONTROLLER]: 'yes' }),
          }
        },
        signal,
      )
    }
    const { accessModes, capacity } = volume.spec
    await claims.updateStatus(claim, { phase: 'Bound', accessModes, capacity }, signal)
  }

  async #provision(claim: Readonly<Claim>, signal: AbortSignal): Promise<void> {
    const { classes, claims, volumes, recorder } = this.deps
    const className = this.#className(claim)
    const subject = subjectOf(claim)
    if (className === '') {
      const message = 'no persistent volumes available for this claim and no storage class is set'
      return recorder.event(subject, 'Normal', 'FailedBinding', message)
    }
    const found = classes.get('', className)
    if (!found) {
      const message = `storageclass.storage.k8s.io ${JSON.stringify(className)} not found`
      return recorder.event(subject, 'Warning', 'ProvisioningFailed', message)
    }
    const { annotations = {} } = claim.metadata
    if (found.volumeBindingMode === 'WaitForFirstConsumer' && annotations[SELECTED_NODE] === undefined) {
      const message = 'waiting for first consumer to be created before binding'
      return recorder.event(subject, 'Normal', 'WaitForFirstConsumer', message)
    }
    if (found.provisioner !== SIMULATED_PROVISIONER) {
      if (annotations[STORAGE_PROVISIONER] !== found.provisioner) {
        await claims.update(
          claim,
          ({ metadata }) => {
            metadata.annotations = { ...metadata.annotations, [STORAGE_PROVISIONER]: found.provisioner }
          },
          signal,
        )
      }
      const message = `waiting for a volume to be created, either by external provisioner ${JSON.stringify(found.provisioner)} or manually created by system administrator`
      return recorder.event(subject, 'Normal', 'ExternalProvisioning', message)
    }
    const volume = await volumes.create(volumeFor(claim, found), signal)
    recorder.event(
      subject,
      'Normal',
      'ProvisioningSucceeded',
      `Successfully provisioned simulated volume ${nameOf(volume)}`,
    )
    await this.#bind(claim, volume, false, signal)
  }
}

function volumeFor(claim: Readonly<Claim>, storageClass: Readonly<StorageClass>): PersistentVolume {
  const { uid = '', namespace = '', name = '', resourceVersion = '' } = claim.metadata
  const { resources, accessModes, volumeMode } = claim.spec
  return {
    metadata: { name: `pvc-${uid}`, annotations: { [PROVISIONED_BY]: storageClass.provisioner } },
    spec: {
      capacity: { storage: resources.requests?.['storage'] ?? '1Gi' },
      ...(accessModes && { accessModes }),
      claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: nameOf(storageClass),
      ...(volumeMode !== undefined && { volumeMode }),
      hostPath: { path: `/var/lib/orrery/simulated/${namespace}/${name}`, type: '' },
    },
    status: {},
  }
}

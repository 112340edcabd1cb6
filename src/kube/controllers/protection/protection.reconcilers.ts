/**
 * Claims that pods use and volumes that claims use outlive their deletion until nobody uses them: admission put a
 * finalizer on them, here it is taken away.
 */
import { type Reconciler, type Request } from '../../../controller/index.js'
import { CLAIM_FINALIZER, VOLUME_FINALIZER } from '../../admission/volumes.js'
import { type Pod } from '../../builtin/types.js'
import { type Objects } from '../../objects.js'
import { type Writer } from '../writer.js'

export interface ProtectionDeps {
  objects: Objects
  writer: Writer
}

export class ClaimProtection implements Reconciler {
  constructor(private readonly deps: ProtectionDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const claim = this.deps.objects.get('', 'persistentvolumeclaims', namespace, name)
    if (!claim?.metadata.deletionTimestamp || !claim.metadata.finalizers?.includes(CLAIM_FINALIZER)) return
    if (this.#isUsed(namespace, name)) return // The end of the pod brings the next pass.
    await release(this.deps.writer, 'persistentvolumeclaims', namespace, name, CLAIM_FINALIZER, signal)
  }

  /** Only pods whose bytes name the claim are parsed. */
  #isUsed(namespace: string, name: string): boolean {
    const mention = Buffer.from(`"claimName":${JSON.stringify(name)}`)
    const entries = this.deps.objects.entries('', 'pods', namespace)
    return entries.some(({ value }) => value.includes(mention) && mayUse(JSON.parse(value.toString()) as Pod))
  }
}

/** A pod that no node has taken, or that has ended, uses nothing. */
function mayUse({ spec, status }: Pod): boolean {
  return Boolean(spec.nodeName) && status.phase !== 'Succeeded' && status.phase !== 'Failed'
}

/** The claims that a pod names. */
export function claimsOf(pod: Readonly<Pod>): string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? [])
}

export class VolumeProtection implements Reconciler {
  constructor(private readonly deps: ProtectionDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const volume = this.deps.objects.get('', 'persistentvolumes', '', name)
    if (!volume?.metadata.deletionTimestamp || !volume.metadata.finalizers?.includes(VOLUME_FINALIZER)) return
    if ((volume.status as { phase?: string } | undefined)?.phase === 'Bound') return
    await release(this.deps.writer, 'persistentvolumes', '', name, VOLUME_FINALIZER, signal)
  }
}

async function release(
  writer: Writer,
  resource: string,
  namespace: string,
  name: string,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> {
  await writer.update(
    writer.definition('', 'v1', resource),
    namespace,
    name,
    (current) => {
      const { finalizers = [] } = current.metadata
      current.metadata.finalizers = finalizers.filter((each) => each !== finalizer)
      return current
    },
    { signal },
  )
}

/**
 * Sees the platform's own signing requests through: approves them, and puts the certificate where the user finds it.
 *
 * A request that is not for a key of ours is nobody's business here, whatever it is labelled. One that has been denied
 * or forgotten goes after an hour, so that the user controller asks again.
 */
import { formatTime } from '../../apimachinery/meta/time.js'
import { type Reconciler, type Request, type Result } from '../../controller/index.js'
import { type UserObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'
import { type Pending } from '../kubeconfig/credentials.js'
import {
  certificateFor,
  hasCondition,
  isOurs,
  keyLeftIn,
  type SigningRequest,
  userOf,
} from '../kubeconfig/requests.js'

export interface CsrReconcilerDeps {
  get: (name: string) => Readonly<SigningRequest> | undefined
  user: (name: string) => Readonly<UserObject> | undefined
  pending: (user: string, signal: AbortSignal) => Promise<Pending | undefined>
  approve: (request: Readonly<SigningRequest>, condition: object, signal: AbortSignal) => Promise<void>
  /** Makes the certificate and its key those of the user's kubeconfig. */
  install: (
    user: Readonly<UserObject>,
    credentials: { certificate: string; key: string },
    signal: AbortSignal,
  ) => Promise<void>
  delete: (request: Readonly<SigningRequest>, signal: AbortSignal) => Promise<void>
  tell: Tell
  now: () => number
}

const PATIENCE_MS = 3_600_000

export class CsrReconciler implements Reconciler {
  constructor(private readonly deps: CsrReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const request = deps.get(name)
    const userName = request && userOf(request)
    const user = userName === undefined ? undefined : deps.user(userName)
    if (!request || userName === undefined || !user || user.metadata.deletionTimestamp) return
    const pending = await deps.pending(userName, signal)
    const ours = pending?.request === name ? pending.key : undefined

    if (request.status?.certificate) return this.#install(request, user, ours ?? keyLeftIn(request), signal)
    if (ours === undefined) return
    const leftMs = Date.parse(request.metadata.creationTimestamp ?? '') + PATIENCE_MS - deps.now()
    if (!(leftMs > 0)) return deps.delete(request, signal)
    if (!hasCondition(request, 'Approved', 'Denied', 'Failed') && isOurs(request, userName, ours)) {
      const time = formatTime(new Date(deps.now()))
      await deps.approve(
        request,
        {
          type: 'Approved',
          status: 'True',
          reason: 'KubeSphereApprove',
          message: 'This CSR was approved by KubeSphere',
          lastUpdateTime: time,
          lastTransitionTime: time,
        },
        signal,
      )
      deps.tell(request)
    }
    return { requeueAfter: leftMs }
  }

  async #install(
    request: Readonly<SigningRequest>,
    user: Readonly<UserObject>,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const certificate = key === undefined ? undefined : certificateFor(request, user.metadata.name ?? '', key)
    if (key === undefined || certificate === undefined) return
    await this.deps.install(user, { certificate, key }, signal)
    await this.deps.delete(request, signal)
  }
}

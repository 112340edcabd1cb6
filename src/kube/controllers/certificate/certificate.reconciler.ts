/** Signs approved certificate signing requests of the signers that this server stands for. */
import { type Reconciler, type Request, TerminalError } from '../../../controller/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type KeyPair, parseRequest, signRequest, validity } from '../../pki/index.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type Objects } from '../../objects.js'
import { type Writer } from '../writer.js'

const GROUP = 'certificates.k8s.io'
const SIGNERS = new Set([
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/legacy-unknown',
])
const DAYS = 365

interface SigningRequest extends KubeObject {
  spec: { request: string; signerName: string; usages?: string[] }
  status?: { certificate?: string; conditions?: { type: string; status: string }[] }
}

export interface CertificateDeps {
  objects: Objects
  writer: Writer
  authority: KeyPair
  clock: Clock
}

export class CertificateReconciler implements Reconciler {
  constructor(private readonly deps: CertificateDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<void> {
    const { objects, writer, authority, clock } = this.deps
    const request = objects.get<SigningRequest>(GROUP, 'certificatesigningrequests', '', name)
    const has = (type: string): boolean =>
      request?.status?.conditions?.some((each) => each.type === type && each.status === 'True') ?? false
    if (!request || !SIGNERS.has(request.spec.signerName) || request.status?.certificate) return
    if (!has('Approved') || has('Denied') || has('Failed')) return
    const pem = Buffer.from(request.spec.request, 'base64').toString('utf8')
    let status: object
    try {
      const { verified } = parseRequest(pem)
      if (!verified) throw new TerminalError('the request is not signed by the key it is for')
      const certificate = signRequest(authority, pem, request.spec.usages ?? [], validity(clock.now(), DAYS))
      status = { certificate: Buffer.from(certificate).toString('base64') }
    } catch (error) {
      const time = wireTime(clock.now())
      const failed = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: (error as Error).message,
        lastUpdateTime: time,
        lastTransitionTime: time,
      }
      status = { conditions: [...(request.status?.conditions ?? []), failed] }
    }
    await writer.update(
      writer.definition(GROUP, 'v1', 'certificatesigningrequests'),
      '',
      name,
      (current) => ({ ...current, status: { ...(current['status'] as object | undefined), ...status } }),
      { subresource: 'status', signal },
    )
  }
}

/**
 * Signing requests: who may approve and who may sign is a matter of the signer (CertificateApproval,
 * CertificateSigning), and nobody becomes a member of `system:masters` by one (CertificateSubjectRestriction).
 */
import { equal } from '../../apimachinery/json/value.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { parseRequest } from '../../certificates/index.js'
import { type Rbac } from '../authorization/rbac.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { refusal } from './refusal.js'

interface SigningRequest extends KubeObject {
  spec?: { signerName?: string; request?: string }
  status?: { certificate?: string }
}

const GROUP = 'certificates.k8s.io'
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

function isAboutRequests({ definition }: AdmissionRequest): boolean {
  return definition.resource === 'certificatesigningrequests' && definition.group === GROUP
}

const signerOf = (object: Readonly<KubeObject> | undefined): string =>
  (object as SigningRequest | undefined)?.spec?.signerName ?? ''

/** Permission for the signer itself, or for all of its domain: `example.com/*`. */
function may(rbac: Rbac, { context }: AdmissionRequest, verb: string, signerName: string): boolean {
  const domain = `${signerName.split('/')[0] ?? ''}/*`
  return [signerName, domain].some(
    (name) =>
      rbac.authorize({
        user: context.user,
        verb,
        resourceRequest: true,
        path: '',
        apiGroup: GROUP,
        apiVersion: '*',
        namespace: '',
        resource: 'signers',
        subresource: '',
        name,
      }).allowed,
  )
}

export function certificateApproval(rbac: Rbac): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate(request) {
      if (!isAboutRequests(request) || request.subresource !== 'approval') return
      const signerName = signerOf(request.previous)
      if (request.operation !== 'UPDATE' || may(rbac, request, 'approve', signerName)) return
      const why = `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`
      throw refusal(request, why)
    },
  }
}

export function certificateSigning(rbac: Rbac): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate(request) {
      if (!isAboutRequests(request) || request.subresource !== 'status') return
      const certificates = [request.object, request.previous].map(
        (object) => (object as SigningRequest | undefined)?.status?.certificate,
      )
      if (request.operation !== 'UPDATE' || equal(certificates[0], certificates[1])) return
      const signerName = signerOf(request.previous)
      if (may(rbac, request, 'sign', signerName)) return
      const why = `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`
      throw refusal(request, why)
    },
  }
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  async validate(request) {
    if (!isAboutRequests(request) || request.operation !== 'CREATE' || request.subresource !== '') return
    if (signerOf(request.object) !== CLIENT_SIGNER) return
    const { request: encoded = '' } = (request.object as SigningRequest).spec ?? {}
    const organizations = organizationsIn(Buffer.from(encoded, 'base64').toString('utf8'))
    if (organizations === undefined) throw refusal(request, 'failed to parse the certificate request')
    if (!organizations.includes('system:masters')) return
    throw refusal(request, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`)
  },
}

/** @returns undefined for what is no request */
function organizationsIn(pem: string): readonly string[] | undefined {
  try {
    return parseRequest(pem).subject.organizations
  } catch {
    return undefined
  }
}

/** Certificate signing requests for users: what the platform's own look like, and how they are told from others. */
import { createPublicKey, createPrivateKey, X509Certificate } from 'node:crypto'
import { type KubeObject, type OwnerReference } from '../../apimachinery/meta/types.js'
import { parseRequest, signingRequest } from '../../certificates/index.js'
import { USERNAME } from '../../tenancy/names.js'
import { type Pending, userLabels } from './credentials.js'

export interface SigningRequest extends KubeObject {
  spec?: { request?: string; signerName?: string; usages?: string[] }
  status?: { certificate?: string; conditions?: { type: string; status?: string }[] }
}

export const SIGNING_REQUESTS = {
  group: 'certificates.k8s.io',
  version: 'v1',
  resource: 'certificatesigningrequests',
  kind: 'CertificateSigningRequest',
}

const SIGNER = 'kubernetes.io/kube-apiserver-client'
const USAGES = ['client auth', 'digital signature', 'key encipherment']
/** Where the original kept the key; read to finish what it began, never written. */
const KEY_ANNOTATION = 'kubesphere.io/private-key'
const NAME = /^(.+)-csr-\d+$/

export function requestName(user: string, now: number): string {
  return `${user}-csr-${Math.floor(now / 1000)}`
}

/** Whom the request says it is for; undefined for requests of others. */
export function userOf({ metadata }: Pick<SigningRequest, 'metadata'>): string | undefined {
  return metadata.labels?.[USERNAME] ?? NAME.exec(metadata.name ?? '')?.[1]
}

export function signingRequestFor(
  user: string,
  { request, key }: Pending,
  owner: OwnerReference,
): SigningRequest {
  const pem = signingRequest(key, { commonName: user, organizations: [] })
  return {
    metadata: { name: request, ...userLabels(user), ownerReferences: [owner] },
    spec: { request: Buffer.from(pem).toString('base64'), signerName: SIGNER, usages: USAGES },
  }
}

/** It asks for what we would ask for, for this user and this key, and for nothing else. */
export function isOurs({ spec = {} }: Readonly<SigningRequest>, user: string, key: string): boolean {
  const usages = [...new Set(spec.usages)].sort()
  if (spec.signerName !== SIGNER || usages.join() !== USAGES.join()) return false
  try {
    const { subject, verified, publicKey } = parseRequest(
      Buffer.from(spec.request ?? '', 'base64').toString('utf8'),
    )
    return (
      verified &&
      subject.commonName === user &&
      subject.organizations.length === 0 &&
      publicKey.equals(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    )
  } catch {
    return false
  }
}

export function hasCondition({ status }: Readonly<SigningRequest>, ...types: readonly string[]): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is = 'True' }) => is === 'True' && types.includes(type),
  )
}

/** PEM of the certificate when it is this user's, for this key. */
export function certificateFor(
  { status }: Readonly<SigningRequest>,
  user: string,
  key: string,
): string | undefined {
  try {
    const pem = Buffer.from(status?.certificate ?? '', 'base64').toString('utf8')
    const certificate = new X509Certificate(pem)
    const fits = certificate.checkPrivateKey(createPrivateKey(key))
    return fits && certificate.subject === `CN=${user}` ? pem : undefined
  } catch {
    return undefined
  }
}

/** The key of a request that the original has made. */
export function keyLeftIn({ metadata }: Readonly<SigningRequest>): string | undefined {
  const key = metadata.annotations?.[KEY_ANNOTATION]
  // 3.2 called keys in the form of PKCS #1 by the name of PKCS #8.
  return key?.replace(/(BEGIN|END) PRIVATE KEY/g, (_, edge: string) =>
    isPkcs8(key) ? `${edge} PRIVATE KEY` : `${edge} RSA PRIVATE KEY`,
  )
}

function isPkcs8(pem: string): boolean {
  try {
    createPrivateKey(pem)
    return true
  } catch {
    return false
  }
}

/**
 * The serving certificate of the webhooks on a cluster: made here, kept in a Secret so that replicas share it, and
 * renewed well before its end.
 */
import { X509Certificate } from 'node:crypto'
import { isAlreadyExists, isConflict, isNotFound } from '../apimachinery/errors/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type KeyPair, selfSignedAuthority, servingCertificate } from '../certificates/index.js'
import { type RestClient } from '../client/rest.js'

export const SECRET = 'ks-controller-manager-webhook-cert'
const DAY_MS = 24 * 3_600_000
const LIFETIME_MS = 365 * DAY_MS
/** Renewed when less than this is left: every replica looks daily. */
const RENEW_MS = 60 * DAY_MS
const BACKDATE_MS = 300_000

export interface ServingCertificate extends KeyPair {
  /** PEM of the authority that registrations trust. */
  ca: string
}

interface SecretObject extends KubeObject {
  data?: Record<string, string>
  type?: string
}

export interface CertificateSource {
  client: RestClient
  namespace: string
  /** Names and addresses the API server calls. */
  hosts: readonly string[]
  now(): number
}

/** The certificate in force: the one in the Secret while it is good, else a new one, which is stored there first. */
export async function currentCertificate(
  source: CertificateSource,
  signal: AbortSignal,
): Promise<ServingCertificate> {
  const secrets = source.client.resource<SecretObject>({
    group: '',
    version: 'v1',
    resource: 'secrets',
    kind: 'Secret',
  })
  const { namespace } = source
  for (;;) {
    let secret: SecretObject | undefined
    try {
      secret = await secrets.get(SECRET, { namespace, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    const stored = secret && certificateIn(secret)
    if (stored && isGood(stored, source)) return stored
    const made = await newCertificate(source)
    const data = dataOf(made)
    try {
      if (secret) await secrets.update({ ...secret, data }, { namespace, signal })
      else
        await secrets.create(
          { metadata: { name: SECRET, namespace }, type: 'kubernetes.io/tls', data },
          { namespace, signal },
        )
      return made
    } catch (error) {
      // Another replica was faster: its certificate counts.
      if (!isAlreadyExists(error) && !isConflict(error)) throw error
    }
  }
}

async function newCertificate(source: CertificateSource): Promise<ServingCertificate> {
  const { hosts } = source
  const at = source.now()
  const validity = { notBefore: new Date(at - BACKDATE_MS), notAfter: new Date(at + LIFETIME_MS) }
  const authority = selfSignedAuthority('orrery-webhook-ca', validity)
  const serving = servingCertificate(authority, hosts[0] ?? 'localhost', hosts, validity)
  return { ...serving, ca: authority.cert }
}

function isGood({ cert }: ServingCertificate, source: CertificateSource): boolean {
  try {
    const certificate = new X509Certificate(cert)
    const covers = (host: string): boolean =>
      certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined
    return Date.parse(certificate.validTo) - source.now() > RENEW_MS && source.hosts.every(covers)
  } catch {
    return false
  }
}

function certificateIn({ data = {} }: SecretObject): ServingCertificate | undefined {
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  const found = { cert: text('tls.crt'), key: text('tls.key'), ca: text('ca.crt') }
  return found.cert && found.key && found.ca ? found : undefined
}

function dataOf({ cert, key, ca }: ServingCertificate): Record<string, string> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return { 'tls.crt': base64(cert), 'tls.key': base64(key), 'ca.crt': base64(ca) }
}

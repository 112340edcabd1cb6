/**
 * The keys and certificates of the embedded API: made on first start, kept under `<data-dir>/pki`,
 * renewed when they near their end.
 *
 * Files are PEM, readable by their owner only. Without a folder everything lives in memory.
 */
import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  clientCertificate,
  type ClientSubject,
  type KeyPair,
  newKey,
  selfSignedAuthority,
  servingCertificate,
  type Validity,
} from '../../certificates/index.js'

export { kubeconfigFor, type KubeconfigOptions } from './kubeconfig.js'
export { type ClientSubject, type KeyPair, parseRequest, signRequest } from '../../certificates/index.js'

const DAY_MS = 24 * 3600 * 1000
const AUTHORITY_DAYS = 3650
const LEAF_DAYS = 365
/** Renewed when less than this is left. */
const RENEW_DAYS = 30
/** Clocks differ; nobody should see a certificate from the future. */
const BACKDATE_MS = 300_000

export const AUTHORITY_NAME = 'orrery-ca'
export const ADMIN: ClientSubject = { commonName: 'kubernetes-admin', organizations: ['system:masters'] }

const OWN_HOSTS = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '127.0.0.1',
  '::1',
  '10.96.0.1',
]

export interface Pki {
  /** The authority; its key signs client certificates too. */
  authority: KeyPair
  serving: KeyPair
  /** Client certificate of `kubernetes-admin`, group `system:masters`. */
  admin: KeyPair
  /** Private key that signs ServiceAccount tokens, PKCS #8 PEM, EC P-256. */
  serviceAccountKey: string
  /** A client certificate signed by the authority. */
  issueClient(subject: ClientSubject, days?: number): KeyPair
}

export interface PkiOptions {
  /** Absent: in memory. */
  folder?: string
  /** DNS names and addresses the server is reached by, besides its own. */
  hosts?: readonly string[]
  /** Milliseconds since the epoch. */
  now?: number
}

/** @throws Error when the folder can neither be read nor written */
export async function openPki(options: PkiOptions = {}): Promise<Pki> {
  const { folder } = options
  const now = options.now ?? Date.now()
  const hosts = [...new Set([...OWN_HOSTS, ...(options.hosts ?? [])])]
  if (folder !== undefined) await mkdir(folder, { recursive: true, mode: 0o700 })

  const authority = await keep(
    folder,
    'ca',
    (pair) => isFresh(pair, now),
    () => selfSignedAuthority(AUTHORITY_NAME, validity(now, AUTHORITY_DAYS)),
  )
  const issued = (pair: KeyPair): boolean => isFresh(pair, now) && isIssuedBy(pair, authority)
  const [serving, admin, serviceAccountKey] = await Promise.all([
    keep(
      folder,
      'apiserver',
      (pair) => issued(pair) && covers(pair, hosts),
      () => servingCertificate(authority, 'kube-apiserver', hosts, validity(now, LEAF_DAYS)),
    ),
    keep(folder, 'admin', issued, () => clientCertificate(authority, ADMIN, validity(now, LEAF_DAYS))),
    keepText(folder, 'sa.key', newKey),
  ])
  return {
    authority,
    serving,
    admin,
    serviceAccountKey,
    issueClient: (subject, days = LEAF_DAYS) =>
      clientCertificate(authority, subject, validity(Date.now(), days)),
  }
}

export function validity(now: number, days: number): Validity {
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + days * DAY_MS) }
}

function isFresh({ cert }: KeyPair, now: number): boolean {
  return Date.parse(new X509Certificate(cert).validTo) - now > RENEW_DAYS * DAY_MS
}

function isIssuedBy({ cert }: KeyPair, authority: KeyPair): boolean {
  return new X509Certificate(cert).verify(new X509Certificate(authority.cert).publicKey)
}

function covers({ cert }: KeyPair, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(cert)
  return hosts.every(
    (host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined,
  )
}

/** The pair under `name`, or a new one when there is none or it is no longer good. */
async function keep(
  folder: string | undefined,
  name: string,
  isGood: (pair: KeyPair) => boolean,
  make: () => KeyPair,
): Promise<KeyPair> {
  if (folder === undefined) return make()
  const [cert, key] = await Promise.all([read(folder, `${name}.crt`), read(folder, `${name}.key`)])
  if (cert !== undefined && key !== undefined && isGood({ cert, key })) return { cert, key }
  const made = make()
  // The key first: a certificate without its key would look complete.
  await write(folder, `${name}.key`, made.key, 0o600)
  await write(folder, `${name}.crt`, made.cert, 0o644)
  return made
}

async function keepText(folder: string | undefined, name: string, make: () => string): Promise<string> {
  const found = folder === undefined ? undefined : await read(folder, name)
  if (found !== undefined) return found
  const made = make()
  if (folder !== undefined) await write(folder, name, made, 0o600)
  return made
}

async function read(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`pki: reading ${name} failed`, { cause: error })
  }
}

/** Whole or not at all: a crash never leaves half a key. */
async function write(folder: string, name: string, text: string, mode: number): Promise<void> {
  const path = join(folder, name)
  const fresh = `${path}.new`
  try {
    await writeFile(fresh, text, { mode })
    await rename(fresh, path)
  } catch (error) {
    throw new Error(`pki: writing ${name} failed`, { cause: error })
  }
}

/** Makes X.509 certificates: the authority, what it issues, and answers to signing requests. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { bits, contentOf, element, elementsIn, explicit, only, sequence, TAG, time, toPem } from './der.js'
import {
  alternativeNames,
  alternativeNamesIn,
  authorityKey,
  extendedUsage,
  keyUsage,
  ofAuthority,
  ofNoAuthority,
  ownKey,
} from './extensions.js'
import { type ClientSubject, nameOf } from './names.js'
import { ECDSA_WITH_SHA256, type ParsedRequest, readRequest, writeRequest } from './requests.js'

export { type ClientSubject } from './names.js'
export { type ParsedRequest } from './requests.js'

/** PEM texts. */
export interface KeyPair {
  cert: string
  key: string
}

export interface Validity {
  notBefore: Date
  notAfter: Date
}

/** A fresh EC P-256 key as PKCS #8 PEM. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function selfSignedAuthority(commonName: string, validity: Validity): KeyPair {
  const key = newKey()
  const publicKey = publicPartOf(key)
  const name = nameOf({ commonName, organizations: [] })
  const cert = signed(key, name, name, publicKey, validity, [
    ofAuthority,
    ...keyUsage(['digital signature', 'cert sign', 'crl sign']),
    ownKey(keyBits(publicKey)),
  ])
  return { cert, key }
}

/** @param hosts DNS names and IP addresses the certificate is good for */
export function servingCertificate(
  authority: KeyPair,
  commonName: string,
  hosts: readonly string[],
  validity: Validity,
): KeyPair {
  const key = newKey()
  const usages = [...OF_ALL, 'server auth']
  const name = nameOf({ commonName, organizations: [] })
  const cert = issue(authority, name, publicPartOf(key), usages, validity, [alternativeNames(hosts)])
  return { cert, key }
}

export function clientCertificate(authority: KeyPair, subject: ClientSubject, validity: Validity): KeyPair {
  const key = newKey()
  const usages = [...OF_ALL, 'client auth']
  return { cert: issue(authority, nameOf(subject), publicPartOf(key), usages, validity), key }
}

/** The text of a `CERTIFICATE REQUEST`. @param key an EC P-256 key as PEM */
export function signingRequest(key: string, subject: ClientSubject): string {
  return writeRequest(ownKind(key), publicPartOf(key), subject)
}

/** @throws Error when it cannot be parsed */
export function parseRequest(pem: string): ParsedRequest {
  const { subject, verified, publicKey } = readRequest(pem)
  return { subject, verified, publicKey }
}

/** Signs a request with the subject and key it carries. @param usages as in `spec.usages` of the CSR object */
export function signRequest(
  authority: KeyPair,
  pem: string,
  usages: readonly string[],
  validity: Validity,
): string {
  const { name, publicKey, extensions } = readRequest(pem)
  return issue(authority, name, publicKey, usages, validity, alternativeNamesIn(extensions))
}

const OF_ALL = ['digital signature', 'key encipherment']

function issue(
  authority: KeyPair,
  name: Buffer,
  publicKey: Buffer,
  usages: readonly string[],
  validity: Validity,
  more: readonly Buffer[] = [],
): string {
  const issuer = new X509Certificate(authority.cert)
  const ofIssuer = issuer.publicKey.export({ type: 'spki', format: 'der' })
  return signed(authority.key, subjectOf(issuer), name, publicKey, validity, [
    ofNoAuthority,
    ...keyUsage(usages),
    ...extendedUsage(usages),
    ...more,
    authorityKey(keyBits(ofIssuer)),
  ])
}

/** The third version, which has extensions. */
const VERSION = element(explicit(0), element(TAG.integer, Buffer.from([2])))

function signed(
  key: string,
  issuer: Buffer,
  subject: Buffer,
  publicKey: Buffer,
  { notBefore, notAfter }: Validity,
  extensions: readonly Buffer[],
): string {
  const told = sequence(
    VERSION,
    element(TAG.integer, serialNumber()),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey,
    element(explicit(3), sequence(...extensions)),
  )
  return toPem(sequence(told, ECDSA_WITH_SHA256, bits(sign('sha256', told, ownKind(key)))), 'CERTIFICATE')
}

/** Positive and 16 bytes long, as serial numbers must be. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

/** @throws Error for a key that the one algorithm we write does not fit */
function ownKind(pem: string): KeyObject {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ec') throw new Error('only EC keys sign certificates')
  return key
}

const publicPartOf = (pem: string): Buffer => createPublicKey(pem).export({ type: 'spki', format: 'der' })

/** Without what says of which kind the key is. */
function keyBits(publicKey: Buffer): Buffer {
  const [, key] = elementsIn(only(publicKey, TAG.sequence))
  return contentOf(key, TAG.bitString).subarray(1)
}

/** As it is written there: names are compared byte by byte. */
function subjectOf({ raw }: X509Certificate): Buffer {
  const [told] = elementsIn(only(raw, TAG.sequence))
  const subject = elementsIn(contentOf(told, TAG.sequence))[5]
  contentOf(subject, TAG.sequence)
  return subject?.whole ?? Buffer.alloc(0)
}

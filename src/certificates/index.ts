/**
 * Makes X.509 certificates: the authority, what it issues, and answers to signing requests.
 *
 * The library behind it takes longer to load than the rest of start-up together, so it is imported when
 * something must be made and not before.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type * as X509 from '@peculiar/x509'

/** PEM texts. */
export interface KeyPair {
  cert: string
  key: string
}

export interface Validity {
  notBefore: Date
  notAfter: Date
}

export interface ClientSubject {
  /** The user's name. */
  commonName: string
  /** The user's groups. */
  organizations: readonly string[]
}

type Library = typeof X509

const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const

let loaded: Promise<Library> | undefined

function library(): Promise<Library> {
  loaded ??= (async () => {
    await import('reflect-metadata')
    const x509 = await import('@peculiar/x509')
    x509.cryptoProvider.set(webcrypto)
    return x509
  })()
  return loaded
}

/** A fresh EC P-256 key as PKCS #8 PEM. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

type AnyCryptoKey = Awaited<ReturnType<typeof webcrypto.subtle.importKey>>

async function privateKeyOf(pem: string): Promise<AnyCryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', der, CURVE, true, ['sign'])
}

async function publicKeyOf(pem: string): Promise<AnyCryptoKey> {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', der, CURVE, true, ['verify'])
}

/** Positive and 16 bytes long, as serial numbers must be. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

export async function selfSignedAuthority(commonName: string, validity: Validity): Promise<KeyPair> {
  const x509 = await library()
  const key = newKey()
  const publicKey = await publicKeyOf(key)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    keys: { privateKey: await privateKeyOf(key), publicKey },
    ...validity,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return { cert: `${certificate.toString('pem')}\n`, key }
}

/** @param hosts DNS names and IP addresses the certificate is good for */
export async function servingCertificate(
  authority: KeyPair,
  commonName: string,
  hosts: readonly string[],
  validity: Validity,
): Promise<KeyPair> {
  const x509 = await library()
  const key = newKey()
  const names = hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host }))
  const cert = await issue(authority, await publicKeyOf(key), [{ CN: [commonName] }], validity, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names),
  ])
  return { cert, key }
}

export async function clientCertificate(
  authority: KeyPair,
  subject: ClientSubject,
  validity: Validity,
): Promise<KeyPair> {
  const x509 = await library()
  const key = newKey()
  const cert = await issue(authority, await publicKeyOf(key), nameOf(subject), validity, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ])
  return { cert, key }
}

/** What a `CERTIFICATE REQUEST` asks for. @throws Error when it cannot be parsed */
export interface ParsedRequest {
  subject: ClientSubject
  /** The request proves that its maker has the private key. */
  verified: boolean
  /** DER of the SubjectPublicKeyInfo. */
  publicKey: Buffer
}

/** The text of a `CERTIFICATE REQUEST` for that name, of no organisation. @param key an EC P-256 key as PEM */
export async function signingRequest(key: string, commonName: string): Promise<string> {
  const x509 = await library()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys: { privateKey: await privateKeyOf(key), publicKey: await publicKeyOf(key) },
    signingAlgorithm: SIGNING,
  })
  return `${request.toString('pem')}\n`
}

export async function parseRequest(pem: string): Promise<ParsedRequest> {
  const x509 = await library()
  const request = new x509.Pkcs10CertificateRequest(pem)
  return {
    subject: {
      commonName: request.subjectName.getField('CN')[0] ?? '',
      organizations: request.subjectName.getField('O'),
    },
    verified: await request.verify(),
    publicKey: Buffer.from(request.publicKey.rawData),
  }
}

const USAGE_FLAGS: Readonly<Record<string, number>> = {
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

/** Signs a request with the subject and key it carries. @param usages as in `spec.usages` of the CSR object */
export async function signRequest(
  authority: KeyPair,
  pem: string,
  usages: readonly string[],
  validity: Validity,
): Promise<string> {
  const x509 = await library()
  const request = new x509.Pkcs10CertificateRequest(pem)
  const flags = usages.reduce((sum, usage) => sum | (USAGE_FLAGS[usage] ?? 0), 0)
  const extended = usages.flatMap((usage) => {
    if (usage === 'client auth') return [x509.ExtendedKeyUsage.clientAuth]
    return usage === 'server auth' ? [x509.ExtendedKeyUsage.serverAuth] : []
  })
  const names = request.getExtension(SUBJECT_ALTERNATIVE_NAME)
  return issue(
    authority,
    request.publicKey,
    request.subjectName.toJSON(),
    validity,
    [
      ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
      ...(names ? [names] : []),
    ],
    flags,
  )
}

type Generator = X509.X509CertificateCreateWithKeyParams

const DIGITAL_SIGNATURE_AND_KEY_ENCIPHERMENT = 5

async function issue(
  authority: KeyPair,
  publicKey: AnyCryptoKey | X509.PublicKey,
  subject: NonNullable<Generator['subject']>,
  validity: Validity,
  extensions: NonNullable<Generator['extensions']>,
  keyUsage = DIGITAL_SIGNATURE_AND_KEY_ENCIPHERMENT,
): Promise<string> {
  const x509 = await library()
  const issuer = new x509.X509Certificate(authority.cert)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer.subject,
    publicKey,
    signingKey: await privateKeyOf(authority.key),
    ...validity,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(keyUsage !== 0 ? [new x509.KeyUsagesExtension(keyUsage, true)] : []),
      ...extensions,
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

function nameOf({ commonName, organizations }: ClientSubject): NonNullable<Generator['subject']> {
  return [...organizations.map((O) => ({ O: [O] })), { CN: [commonName] }]
}

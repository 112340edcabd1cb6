/** Signing requests: ours are written, those of others read. */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import {
  bits,
  contentOf,
  element,
  elementsIn,
  explicit,
  fromPem,
  oid,
  only,
  sequence,
  TAG,
  toPem,
} from './der.js'
import { type ClientSubject, nameOf, subjectIn } from './names.js'

/** What a `CERTIFICATE REQUEST` asks for. */
export interface ParsedRequest {
  subject: ClientSubject
  /** The request proves that its maker has the private key. */
  verified: boolean
  /** DER of the SubjectPublicKeyInfo. */
  publicKey: Buffer
}

export interface RequestParts extends ParsedRequest {
  /** DER of the subject, with all that it has besides names of users and groups. */
  name: Buffer
  /** DER of the extensions it asks for, one after the other. */
  extensions: Buffer
}

export const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const VERSION = element(TAG.integer, Buffer.from([0]))
const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14')

/** Of a signature, by what it is made with; undefined where the key says so. Those with SHA-1 prove nothing. */
const HASHES: readonly (readonly [Buffer, string | undefined, KeyObject['asymmetricKeyType']])[] = [
  [oid('1.2.840.10045.4.3.2'), 'sha256', 'ec'],
  [oid('1.2.840.10045.4.3.3'), 'sha384', 'ec'],
  [oid('1.2.840.10045.4.3.4'), 'sha512', 'ec'],
  [oid('1.2.840.113549.1.1.11'), 'sha256', 'rsa'],
  [oid('1.2.840.113549.1.1.12'), 'sha384', 'rsa'],
  [oid('1.2.840.113549.1.1.13'), 'sha512', 'rsa'],
  [oid('1.3.101.112'), undefined, 'ed25519'],
]

/** @param publicKey DER of the SubjectPublicKeyInfo that belongs to the key */
export function writeRequest(key: KeyObject, publicKey: Buffer, subject: ClientSubject): string {
  const asked = sequence(VERSION, nameOf(subject), publicKey, element(explicit(0)))
  return toPem(sequence(asked, ECDSA_WITH_SHA256, bits(sign('sha256', asked, key))), 'CERTIFICATE REQUEST')
}

/** @throws Error when it cannot be parsed */
export function readRequest(pem: string): RequestParts {
  const outer = elementsIn(only(fromPem(pem, '(?:NEW )?CERTIFICATE REQUEST'), TAG.sequence))
  const [asked, algorithm, signature] = outer
  const [version, name, key, attributes, ...more] = elementsIn(contentOf(asked, TAG.sequence))
  contentOf(version, TAG.integer)
  contentOf(name, TAG.sequence)
  contentOf(key, TAG.sequence)
  if (outer.length !== 3 || !asked || !name || !key || more.length > 0)
    throw new Error('the structure is not the expected one')
  const method = elementsIn(contentOf(algorithm, TAG.sequence))[0]?.whole
  const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' })
  return {
    subject: subjectIn(name.whole),
    verified: isSigned(asked.whole, method, contentOf(signature, TAG.bitString), publicKey),
    publicKey: key.whole,
    name: name.whole,
    extensions: attributes ? extensionsIn(contentOf(attributes, explicit(0))) : Buffer.alloc(0),
  }
}

function isSigned(asked: Buffer, method: Buffer | undefined, signature: Buffer, key: KeyObject): boolean {
  const [, hash, type] = HASHES.find(([id]) => method?.equals(id)) ?? []
  // The first byte counts unused bits, of which a signature has none.
  if (type === undefined || type !== key.asymmetricKeyType || signature[0] !== 0) return false
  return verify(hash, asked, key, signature.subarray(1))
}

function extensionsIn(attributes: Buffer): Buffer {
  for (const attribute of elementsIn(attributes)) {
    const [type, values] = elementsIn(contentOf(attribute, TAG.sequence))
    if (!type?.whole.equals(EXTENSION_REQUEST)) continue
    return only(contentOf(values, TAG.set), TAG.sequence)
  }
  return Buffer.alloc(0)
}

/** What a certificate may be used for and by whom. */
import { createHash } from 'node:crypto'
import { isIPv4, isIP } from 'node:net'
import { bits, contentOf, element, elementsIn, isTrue, octets, oid, sequence, TAG } from './der.js'

function extension(id: string, content: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [isTrue] : []), octets(content))
}

export const ofAuthority = extension('2.5.29.19', sequence(isTrue), true)
export const ofNoAuthority = extension('2.5.29.19', sequence(), true)

/** By their names in signing requests; each is one bit, from the left. */
const USAGES = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
]

/** Nothing for usages that are of another kind. */
export function keyUsage(usages: readonly string[]): Buffer[] {
  const flags = USAGES.map((usage) => (usages.includes(usage) ? '1' : '0')).join('')
  const last = flags.lastIndexOf('1')
  if (last < 0) return []
  const content = Buffer.from([Number.parseInt(flags, 2) << 1])
  return [extension('2.5.29.15', bits(content, 7 - last), true)]
}

const EXTENDED = new Map([
  ['server auth', oid('1.3.6.1.5.5.7.3.1')],
  ['client auth', oid('1.3.6.1.5.5.7.3.2')],
])

export function extendedUsage(usages: readonly string[]): Buffer[] {
  const known = usages.flatMap((usage) => EXTENDED.get(usage) ?? [])
  return known.length === 0 ? [] : [extension('2.5.29.37', sequence(...known))]
}

const ALTERNATIVE_NAMES = '2.5.29.17'
const DNS_TAG = 0x82
const ADDRESS_TAG = 0x87

/** @param hosts DNS names and IP addresses */
export function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) ? element(ADDRESS_TAG, addressBytes(host)) : element(DNS_TAG, Buffer.from(host, 'latin1')),
  )
  return extension(ALTERNATIVE_NAMES, sequence(...names))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // Written one way, whatever was given: lower case, no dots, the longest run of zeros left out.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`)
  const [head = [], tail = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** Those that a signing request asks for, as it writes them. @param extensions one after the other */
export function alternativeNamesIn(extensions: Buffer): Buffer[] {
  const wanted = oid(ALTERNATIVE_NAMES)
  const found = elementsIn(extensions).find((each) =>
    elementsIn(contentOf(each, TAG.sequence))[0]?.whole.equals(wanted),
  )
  return found ? [found.whole] : []
}

/** The same for the key of an authority and for what it has issued. @param key the bits of a public key */
const identifier = (key: Buffer): Buffer => createHash('sha1').update(key).digest()

export const ownKey = (key: Buffer): Buffer => extension('2.5.29.14', octets(identifier(key)))

export const authorityKey = (key: Buffer): Buffer =>
  extension('2.5.29.35', sequence(element(0x80, identifier(key))))

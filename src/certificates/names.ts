/** Distinguished names: whom a certificate is for. */
import { type Element, contentOf, element, elementsIn, oid, only, sequence, TAG, utf8 } from './der.js'

export interface ClientSubject {
  /** The user's name. */
  commonName: string
  /** The user's groups. */
  organizations: readonly string[]
}

const COMMON_NAME = oid('2.5.4.3')
const ORGANIZATION = oid('2.5.4.10')

export function nameOf({ commonName, organizations }: ClientSubject): Buffer {
  const attribute = (type: Buffer, text: string): Buffer => element(TAG.set, sequence(type, utf8(text)))
  return sequence(
    ...organizations.map((each) => attribute(ORGANIZATION, each)),
    attribute(COMMON_NAME, commonName),
  )
}

/** @throws Error for what is no name, or has a text nobody could read */
export function subjectIn(name: Buffer): ClientSubject {
  const attributes = elementsIn(only(name, TAG.sequence))
    .flatMap((set) => elementsIn(contentOf(set, TAG.set)))
    .map((attribute) => elementsIn(contentOf(attribute, TAG.sequence)))
  const texts = (wanted: Buffer): string[] =>
    attributes.filter(([type]) => type?.whole.equals(wanted)).map(([, value]) => textOf(value))
  return { commonName: texts(COMMON_NAME)[0] ?? '', organizations: texts(ORGANIZATION) }
}

const LATIN_TAGS: readonly (number | undefined)[] = [0x12, 0x13, 0x14, 0x16]
const UTF16_TAG = 0x1e

/** Whoever reads the certificate later must not find another name in it. */
function textOf(value: Element | undefined): string {
  const text = decoded(value)
  if (text.includes('\0')) throw new Error('a name must not have zero bytes')
  return text
}

function decoded(value: Element | undefined): string {
  if (value?.tag === TAG.utf8) return new TextDecoder('utf-8', { fatal: true }).decode(value.content)
  if (value?.tag === UTF16_TAG) return Buffer.from(value.content).swap16().toString('utf16le')
  if (value && LATIN_TAGS.includes(value.tag)) return value.content.toString('latin1')
  throw new Error('a name has a text of unknown form')
}

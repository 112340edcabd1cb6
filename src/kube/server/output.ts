/** Writes values as JSON, YAML or protobuf, Status errors too. */
import { stringify } from 'yaml'
import { type StatusError } from '../../apimachinery/errors/index.js'
import { type JsonObject } from '../../apimachinery/json/value.js'
import { encodeObject, hasMessage, type Kind, PROTOBUF } from '../protobuf/index.js'
import { type Exchange } from './exchange.js'
import { type Negotiated, parseAccept, wantsPretty } from './negotiate.js'

const NEWLINE = Buffer.from('\n')

/** Keys sorted, as the genuine server prints YAML. */
export function yamlBytes(value: unknown): Buffer {
  return Buffer.from(
    stringify(value, {
      sortMapEntries: true,
      lineWidth: 0,
      indentSeq: false,
      aliasDuplicateObjects: false,
      version: '1.1',
      schema: 'yaml-1.1',
      compat: 'core',
    }),
  )
}

/** Bytes of a JSON document in the negotiated form, protobuf excepted. */
export function formatted(json: Uint8Array, { mediaType, pretty }: Negotiated): Buffer {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  if (mediaType === 'application/yaml') return yamlBytes(JSON.parse(bytes.toString()))
  if (pretty) return Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), null, 2))
  return Buffer.concat([bytes, NEWLINE])
}

/** Stored bytes as they are, where the form allows; never copied for the newline. */
export function answerBytes(exchange: Exchange, status: number, json: Uint8Array, form: Negotiated): void {
  if (form.mediaType === 'application/json' && !form.pretty) {
    exchange.answer(status, form.mediaType, json, {}, NEWLINE)
    return
  }
  const { mediaType, body } = written(json, form)
  exchange.answer(status, mediaType, body)
}

/** What has no message goes out as JSON: clients read what the header says. */
function written(json: Uint8Array, form: Negotiated): { mediaType: string; body: Buffer } {
  if (form.mediaType !== PROTOBUF) return { mediaType: form.mediaType, body: formatted(json, form) }
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()
  const object = JSON.parse(text) as JsonObject & Kind
  object.apiVersion ??= 'v1'
  if (hasMessage(object)) return { mediaType: PROTOBUF, body: encodeObject(object) }
  const mediaType = 'application/json'
  return { mediaType, body: formatted(json, { ...form, mediaType }) }
}

export function answerJson(exchange: Exchange, status: number, value: unknown, form: Negotiated): void {
  answerBytes(exchange, status, Buffer.from(JSON.stringify(value)), form)
}

export function answerText(exchange: Exchange, status: number, text: string): void {
  exchange.answer(status, 'text/plain; charset=utf-8', Buffer.from(text), {
    'x-content-type-options': 'nosniff',
  })
}

/** A Status in the form the client accepts, JSON if it accepts none of ours. */
export function answerError(exchange: Exchange, error: StatusError): void {
  const wanted = parseAccept(exchange.header('accept'))
  const first = wanted[0]?.type
  const form: Negotiated = {
    mediaType: first === 'application/yaml' || first === PROTOBUF ? first : 'application/json',
    pretty: wantsPretty(exchange),
  }
  const { mediaType, body } = written(Buffer.from(JSON.stringify(error.status())), form)
  const retry = error.details?.retryAfterSeconds
  exchange.answer(error.code, mediaType, body, {
    ...(retry !== undefined && { 'retry-after': String(retry) }),
  })
}

/** Writes values as JSON or YAML, Status errors too. */
import { stringify } from 'yaml'
import { type StatusError } from '../../apimachinery/errors/index.js'
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

/** Bytes of a JSON document in the negotiated form. */
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
  exchange.answer(status, form.mediaType, formatted(json, form))
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
  const yaml = wanted[0]?.type === 'application/yaml'
  const form: Negotiated = {
    mediaType: yaml ? 'application/yaml' : 'application/json',
    pretty: wantsPretty(exchange),
  }
  const body = formatted(Buffer.from(JSON.stringify(error.status())), form)
  const retry = error.details?.retryAfterSeconds
  exchange.answer(error.code, form.mediaType, body, {
    ...(retry !== undefined && { 'retry-after': String(retry) }),
  })
}

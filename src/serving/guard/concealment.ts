/**
 * Answers without what no client may read: single objects, lists, tables, and the events of a watch.
 *
 * The Kubernetes API is asked for JSON whatever the client accepts, because that is the form that can be looked
 * into; a client that wants YAML gets it made here, and one that wants nothing but protobuf is told 406.
 */
import { stringify } from 'yaml'
import { notAcceptable } from '../../apimachinery/errors/index.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { LineSplitter } from '../../client/cache/lines.js'
import { mediaType } from '../mediatypes.js'
import { type Rewriter } from '../rewriting.js'

export type Conceal = (object: KubeObject) => boolean | void

export interface AcceptedForm {
  /** What to ask the Kubernetes API for. */
  accept: string
  yaml: boolean
}

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const ANY = new Set(['*/*', 'application/*'])

/** What `kubectl apply` keeps: all of the object as it was sent. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** @throws StatusError 406 when no clause can be served */
export function acceptedForm(header: string | undefined, isWatch: boolean): AcceptedForm {
  const clauses = (header ?? '')
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '')
  if (clauses.length === 0) return { accept: JSON_TYPE, yaml: false }
  const first = clauses.find((clause) => ANY.has(mediaType(clause)) || isWritten(mediaType(clause), isWatch))
  if (first === undefined) throw notAcceptable(isWatch ? [JSON_TYPE] : [JSON_TYPE, YAML_TYPE])
  if (mediaType(first) === YAML_TYPE) return { accept: JSON_TYPE, yaml: true }
  // Tables and the like are asked for by parameters of the JSON type.
  const json = clauses.filter((clause) => mediaType(clause) === JSON_TYPE)
  return { accept: json.length === 0 ? JSON_TYPE : json.join(', '), yaml: false }
}

function isWritten(type: string, isWatch: boolean): boolean {
  return type === JSON_TYPE || (type === YAML_TYPE && !isWatch)
}

/** In place. @returns the value */
export function concealed(value: unknown, conceal: Conceal): unknown {
  if (!isObject(value) || value['kind'] === 'Status') return value
  if (value['kind'] === 'Table' && Array.isArray(value['rows'])) {
    for (const row of value['rows'] as unknown[]) if (isObject(row)) concealRow(row, conceal)
  } else if (Array.isArray(value['items'])) {
    for (const item of value['items'] as unknown[]) concealObject(item, conceal)
  } else concealObject(value, conceal)
  return value
}

function concealRow(row: JsonObject, conceal: Conceal): void {
  const { cells } = row
  const tells = concealObject(isObject(row['object']) ? row['object'] : {}, conceal)
  if (tells && Array.isArray(cells))
    row['cells'] = cells.map((cell: unknown, column) => (column === 0 ? cell : ''))
}

function concealObject(value: unknown, conceal: Conceal): boolean {
  if (!isObject(value)) return false
  if (!isObject(value['metadata'])) value['metadata'] = {}
  const { annotations } = value['metadata'] as JsonObject
  if (isObject(annotations) && LAST_APPLIED in annotations)
    annotations[LAST_APPLIED] = concealedText(annotations[LAST_APPLIED], conceal)
  return conceal(value as KubeObject) === true
}

function concealedText(text: unknown, conceal: Conceal): string {
  try {
    const object: unknown = JSON.parse(String(text))
    concealObject(object, conceal)
    return `${JSON.stringify(object)}\n`
  } catch {
    return '' // Whatever it is, kubectl has not written it.
  }
}

export function concealBody(conceal: Conceal, { yaml }: AcceptedForm): Rewriter {
  const chunks: Buffer[] = []
  return {
    push(chunk) {
      chunks.push(chunk)
      return undefined
    },
    end() {
      if (chunks.length === 0) return undefined
      const value = concealed(JSON.parse(Buffer.concat(chunks).toString()), conceal)
      return Buffer.from(yaml ? stringify(value) : `${JSON.stringify(value)}\n`)
    },
  }
}

/** One event a line. */
export function concealEvents(conceal: Conceal): Rewriter {
  let ready: Buffer[] = []
  const lines = new LineSplitter((line) => {
    const event: unknown = JSON.parse(line.toString())
    if (isObject(event)) concealed(event['object'], conceal)
    ready.push(Buffer.from(`${JSON.stringify(event)}\n`))
  })
  return {
    push(chunk) {
      lines.push(chunk)
      const out = ready
      ready = []
      return out.length === 0 ? undefined : Buffer.concat(out)
    },
    end: () => undefined,
  }
}

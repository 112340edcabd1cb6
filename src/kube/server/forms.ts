/**
 * How watch events are written: one JSON document per line, or one protobuf frame with its length, the object in the
 * negotiated form.
 */
import { type StatusError } from '../../apimachinery/errors/index.js'
import { type JsonObject } from '../../apimachinery/json/value.js'
import { encodeEvent, type Kind } from '../protobuf/index.js'
import { metadataBytes } from '../registry/bytes.js'
import { type Clock } from '../registry/clock.js'
import { parse, type Served } from '../registry/served.js'
import { type EventType, type FrameForm } from '../registry/watch.js'
import { table, type TableRequest } from './table.js'

const OPENINGS: Record<EventType, Buffer> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
}
const BRACE = Buffer.from('}')
const CLOSING = Buffer.from('}\n')

function line(type: string, object: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`)
}

const errorLine = (error: StatusError): Buffer => line('ERROR', error.status())

/** Only what a bookmark may hold. */
function bookmarkMetadata(revision: number, initialEventsEnd: boolean): Record<string, unknown> {
  return {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(initialEventsEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
  }
}

/** Custom resources have no typed metadata that prints a null time. */
function bookmarkObject(resource: Served, revision: number, initialEventsEnd: boolean): unknown {
  const { kind, custom } = resource.definition
  const metadata = bookmarkMetadata(revision, initialEventsEnd)
  if (custom) delete metadata.creationTimestamp
  return { kind, apiVersion: resource.apiVersion, metadata }
}

export function jsonForm(resource: Served): FrameForm {
  return {
    shared: 'json',
    event: (type, wire) => Buffer.concat([OPENINGS[type], wire, CLOSING]),
    bookmark: (revision, end) => line('BOOKMARK', bookmarkObject(resource, revision, end)),
    error: errorLine,
  }
}

export function partialForm(version: string): FrameForm {
  const opening = Buffer.from(
    `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`,
  )
  return {
    shared: `partial/${version}`,
    event: (type, wire) => Buffer.concat([OPENINGS[type], opening, metadataBytes(wire), BRACE, CLOSING]),
    bookmark: (revision, end) =>
      line('BOOKMARK', {
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${version}`,
        metadata: bookmarkMetadata(revision, end),
      }),
    error: errorLine,
  }
}

/** The frames of another form as protobuf. @param partial version of PartialObjectMetadata, if that is what is sent */
export function protobufForm(resource: Served, json: FrameForm, partial: string | undefined): FrameForm {
  const frame = (line: Buffer): Buffer => {
    const { type, object } = JSON.parse(line.toString()) as { type: string; object: JsonObject & Kind }
    return encodeEvent(type, object)
  }
  const kind =
    partial === undefined
      ? { apiVersion: resource.apiVersion, kind: resource.definition.kind }
      : { apiVersion: `meta.k8s.io/${partial}`, kind: 'PartialObjectMetadata' }
  return {
    shared: `protobuf/${json.shared ?? ''}`,
    event(type, wire) {
      const metadata = (): unknown => JSON.parse(metadataBytes(wire).toString())
      const object = partial === undefined ? parse(wire) : { metadata: metadata() }
      return encodeEvent(type, { ...object, ...kind })
    },
    bookmark: (revision, end) => frame(json.bookmark(revision, end)),
    error: (error) => frame(json.error(error)),
  }
}

/** Rows; the column definitions come with the first event only. */
export function tableForm(resource: Served, request: TableRequest, clock: Clock): FrameForm {
  let header = true
  const rows = (wire: Buffer, resourceVersion: string): unknown => {
    const first = header
    header = false
    return table(resource, [wire], {
      request,
      metadata: { resourceVersion },
      now: new Date(clock.now()),
      header: first,
    })
  }
  return {
    shared: undefined,
    event: (type, wire) => line(type, rows(wire, parse(wire).metadata.resourceVersion ?? '')),
    bookmark: (revision, end) => {
      const object = bookmarkObject(resource, revision, end)
      return line('BOOKMARK', rows(Buffer.from(JSON.stringify(object)), String(revision)))
    },
    error: errorLine,
  }
}

/**
 * `application/vnd.kubernetes.protobuf`: four bytes that say so, then a message that names the kind and holds the
 * object's own. Only the kinds of Kubernetes have messages; custom resources have none.
 */
import { setImmediate } from 'node:timers/promises'
import { badRequest } from '../../apimachinery/errors/index.js'
import { type JsonObject } from '../../apimachinery/json/value.js'
import { type KubeObject, type ListMeta } from '../../apimachinery/meta/types.js'
import {
  BYTES,
  MalformedProtobuf,
  ProtobufReader,
  ProtobufWriter,
} from '../../apimachinery/protobuf/index.js'
import { decodeMessage } from './decode.js'
import { encodeMessage } from './encode.js'
import { type Plan, planOfKind, planOfMessage } from './plan.js'

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

const MAGIC = Buffer.from('k8s\0', 'latin1')
const LIST_META = 'k8s.io.apimachinery.pkg.apis.meta.v1.ListMeta'

export interface Kind {
  apiVersion: string
  kind: string
}

/** Whether a kind can be written like this. */
export function hasMessage({ apiVersion, kind }: Kind): boolean {
  return planOfKind(apiVersion, kind) !== undefined
}

/** @throws Error for kinds without a message */
function planFor({ apiVersion, kind }: Kind): Plan {
  const plan = planOfKind(apiVersion, kind)
  if (!plan) throw new Error(`${kind} of ${apiVersion} has no protobuf message`)
  return plan
}

/** What stands in front of an object's own message, up to the message itself. */
function opening(writer: ProtobufWriter, { apiVersion, kind }: Kind): void {
  writer.raw(MAGIC)
  writer.tag(1, BYTES)
  writer.nested(() => {
    writer.tag(1, BYTES)
    writer.text(apiVersion)
    writer.tag(2, BYTES)
    writer.text(kind)
  })
  writer.tag(2, BYTES)
}

/** An object with its kind. @throws Error for kinds without a message */
export function encodeObject(object: JsonObject & Kind): Buffer {
  const writer = new ProtobufWriter()
  writeObject(writer, object)
  return writer.finish()
}

function writeObject(writer: ProtobufWriter, object: JsonObject & Kind): void {
  const plan = planFor(object)
  opening(writer, object)
  writer.nested(() => encodeMessage(writer, plan, object))
  // As the genuine server writes them: no encoding, no content type.
  writer.raw(CLOSING)
}

const CLOSING = Buffer.from([0x1a, 0, 0x22, 0])

/** Items encoded between two looks at what else there is to do. */
const BATCH = 256

/**
 * A list in pieces, to be sent one after the other.
 *
 * @param items JSON of each
 * @throws Error for kinds without a message
 */
export async function encodeList(
  list: Kind,
  metadata: ListMeta,
  item: Kind,
  items: readonly Uint8Array[],
): Promise<Buffer[]> {
  const plan = planFor(item)
  const head = new ProtobufWriter()
  head.tag(1, BYTES)
  head.nested(() => encodeMessage(head, planOfMessage(LIST_META), { ...metadata }))
  const pieces = [head.finish()]
  for (const [i, json] of items.entries()) {
    if (i % BATCH === BATCH - 1) await setImmediate()
    const writer = new ProtobufWriter()
    writer.tag(2, BYTES)
    writer.nested(() => encodeMessage(writer, plan, parse(json)))
    pieces.push(writer.finish())
  }
  const envelope = new ProtobufWriter()
  opening(envelope, list)
  envelope.integer(pieces.reduce((sum, piece) => sum + piece.length, 0))
  return [envelope.finish(), ...pieces, CLOSING]
}

/** One frame of a watch: its length, then type and object. @param object with its kind */
export function encodeEvent(type: string, object: JsonObject & Kind): Buffer {
  const writer = new ProtobufWriter()
  writer.tag(1, BYTES)
  writer.text(type)
  writer.tag(2, BYTES)
  writer.nested(() => {
    writer.tag(1, BYTES)
    writer.nested(() => writeObject(writer, object))
  })
  const body = writer.finish()
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length)
  frame.set(body, 4)
  return frame
}

function parse(json: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()) as JsonObject
}

/**
 * A body, as far as its kind is known here; another's comes without content, for the error that names its kind.
 *
 * @param expected where the body does not say
 * @throws StatusError 400
 */
export function decodeObject(bytes: Uint8Array, expected: Kind): KubeObject {
  try {
    return decodeEnvelope(bytes, expected)
  } catch (error) {
    if (!(error instanceof MalformedProtobuf)) throw error
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): proto: ${error.message}`,
    )
  }
}

function decodeEnvelope(bytes: Uint8Array, expected: Kind): KubeObject {
  const magic = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAGIC.length))
  if (!magic.equals(MAGIC)) throw new MalformedProtobuf('the body does not begin with k8s')
  const reader = new ProtobufReader(bytes.subarray(MAGIC.length))
  const given = { apiVersion: '', kind: '' }
  let raw: Uint8Array = new Uint8Array()
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (wireType !== BYTES) reader.skip(wireType)
    else if (field === 1) readKind(reader.chunk(), given)
    else if (field === 2) raw = reader.chunk()
    else if (reader.text() !== '') throw new MalformedProtobuf('encoded content is not understood')
  }
  const kind = given.kind || expected.kind
  const apiVersion = given.apiVersion || expected.apiVersion
  const plan = planOfKind(apiVersion, kind)
  const object = plan ? decodeMessage(raw, plan) : {}
  return { ...object, apiVersion, kind, metadata: object['metadata'] ?? {} }
}

function readKind(bytes: Uint8Array, into: Kind): void {
  const reader = new ProtobufReader(bytes)
  while (!reader.done) {
    const { field, wireType } = reader.tag()
    if (wireType === BYTES && field === 1) into.apiVersion = reader.text()
    else if (wireType === BYTES && field === 2) into.kind = reader.text()
    else reader.skip(wireType)
  }
}

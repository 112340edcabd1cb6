/**
 * `v1.Status` as `application/vnd.kubernetes.protobuf`, for clients that accept nothing else.
 *
 * Field numbers are those of k8s.io/apimachinery, generated.proto; the envelope is runtime.Unknown.
 */
import { type Status } from '../apimachinery/errors/index.js'

const MAGIC = Buffer.from('k8s\0', 'latin1')

export function statusProtobuf(status: Status): Buffer {
  const { details } = status
  const causes = (details?.causes ?? []).map(({ reason, message, field }) =>
    bytes(4, Buffer.concat([text(1, reason), text(2, message), text(3, field)])),
  )
  const encodedDetails =
    details &&
    Buffer.concat([
      text(1, details.name),
      text(2, details.group),
      text(3, details.kind),
      ...causes,
      number(5, details.retryAfterSeconds),
      text(6, details.uid),
    ])
  const raw = Buffer.concat([
    bytes(1, Buffer.alloc(0)),
    text(2, status.status),
    text(3, status.message),
    text(4, status.reason),
    ...(encodedDetails ? [bytes(5, encodedDetails)] : []),
    number(6, status.code),
  ])
  const type = Buffer.concat([text(1, status.apiVersion), text(2, status.kind)])
  return Buffer.concat([
    MAGIC,
    bytes(1, type),
    bytes(2, raw),
    bytes(3, Buffer.alloc(0)),
    bytes(4, Buffer.alloc(0)),
  ])
}

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  while (rest > 127) {
    out.push((rest & 127) | 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
  return Buffer.from(out)
}

function bytes(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(value.byteLength), value])
}

function text(field: number, value: string | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : bytes(field, Buffer.from(value))
}

function number(field: number, value: number | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)])
}

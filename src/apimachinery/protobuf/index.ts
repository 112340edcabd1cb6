/** The wire format of protocol buffers: what a schema does not need to be known for. */
export { MalformedProtobuf, ProtobufReader } from './reader.js'
export { ProtobufWriter } from './writer.js'

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

/** Compression of header fields for HTTP/2, RFC 7541: one encoder and one decoder for each connection. */
export { HeaderDecoder, type DecoderOptions } from './decoder.js'
export { HeaderEncoder } from './encoder.js'
export { HeaderListTooLarge, HpackError } from './errors.js'

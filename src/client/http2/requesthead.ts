/** The head of a request as HTTP/2 writes it, RFC 9113 section 8.3.1. */
import { type Exchange } from '../http/exchange.js'
import { announcedLength } from '../http/fields.js'
import { Flag, Type } from './frames.js'
import { HeaderEncoder } from './hpack/index.js'
import { type Output } from './output.js'

/** Fields whose values come again and again. */
const REPEATED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'content-type',
  'user-agent',
])

export class RequestHeadWriter {
  readonly #host: string
  readonly #output: Output
  readonly #encoder = new HeaderEncoder()

  /** @param host as the server is to be called */
  constructor(host: string, output: Output) {
    this.#host = host
    this.#output = output
  }

  /** @param bytes the server's limit of the table of fields */
  setTableLimit(bytes: number): void {
    this.#encoder.setLimit(bytes)
  }

  /** @param frameSize the most that the server takes in one frame */
  write(stream: number, { request, fields, framing }: Exchange, frameSize: number): void {
    const encoder = this.#encoder
    encoder.begin()
    encoder.add(':method', request.method)
    encoder.add(':scheme', 'https')
    encoder.addIndexed(':authority', this.#host)
    encoder.add(':path', request.path)
    for (let i = 0; i < fields.length; i += 2) {
      const [name, value] = [fields[i] as string, fields[i + 1] as string]
      if (REPEATED.has(name)) encoder.addIndexed(name, value)
      else encoder.add(name, value)
    }
    const length = announcedLength(request.method, framing)
    if (length !== undefined) encoder.add('content-length', String(length))
    this.#frames(stream, encoder.finish(), framing.kind === 'none' ? Flag.endStream : 0, frameSize)
  }

  #frames(stream: number, block: Buffer, flags: number, frameSize: number): void {
    let type: number = Type.headers
    for (let at = 0; ; at += frameSize) {
      const isLast = at + frameSize >= block.length
      const part = block.subarray(at, at + frameSize)
      this.#output.frame(type, flags | (isLast ? Flag.endHeaders : 0), stream, part)
      if (isLast) return
      type = Type.continuation
      flags = 0
    }
  }
}

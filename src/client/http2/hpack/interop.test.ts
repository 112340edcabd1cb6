import * as http2 from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { HeaderDecoder, HeaderEncoder } from './index.js'

type Field = readonly [name: string, value: string]

function decoded(decoder: HeaderDecoder, block: Buffer): Field[] {
  const fields: Field[] = []
  decoder.decode(block, (name, value) => fields.push([name, value]))
  return fields
}

function encoded(encoder: HeaderEncoder, fields: readonly Field[]): Buffer {
  encoder.begin()
  for (const [name, value] of fields) {
    encoder.addIndexed(name, value)
  }
  return Buffer.from(encoder.finish())
}

describe("beside node's own implementation", () => {
  const HEADERS = 1
  const WHOLE = 0x05 // END_STREAM and END_HEADERS

  function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }

  /** The next `count` header blocks on the connection; none of them is continued in a second frame. */
  async function headerBlocks(socket: Socket, count: number): Promise<Buffer[]> {
    const blocks: Buffer[] = []
    let unread = Buffer.alloc(0)
    for await (const chunk of socket) {
      unread = Buffer.concat([unread, chunk as Buffer])
      while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
        const end = 9 + unread.readUIntBE(0, 3)
        if (unread[3] === HEADERS) blocks.push(unread.subarray(9, end))
        unread = unread.subarray(end)
      }
      if (blocks.length >= count) return blocks
    }
    throw new Error('the server ended the connection')
  }

  it('is understood, and understands every character that a field may hold', async () => {
    // One of each, long enough for Huffman codes to pay, so that the server uses them.
    const characters: Record<string, string> = {}
    for (let code = 0x21; code <= 0xff; code++) {
      if (code !== 0x7f) characters[`c-${code}`] = `aaaaaaaaaaaaaaaa${String.fromCharCode(code)}eeeeeeee`
    }
    const asked: http2.IncomingHttpHeaders[] = []
    const server = http2.createServer()
    server.on('stream', (stream, headers) => {
      asked.push(headers)
      stream.respond({ ':status': 200, date: 'now', ...characters }, { endStream: true })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const encoder = new HeaderEncoder()
    const request: Field[] = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'cluster.local'],
      [':path', '/api/v1/pods'],
      ['authorization', `Bearer ${'t'.repeat(1000)}`],
      ['x-once', 'jos\xe9'],
    ]

    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(frame(4, 0, 0, Buffer.alloc(0)))
    socket.write(frame(HEADERS, WHOLE, 1, encoded(encoder, request)))
    socket.write(frame(HEADERS, WHOLE, 3, encoded(encoder, request)))
    const blocks = await headerBlocks(socket, 2)

    expect(asked.map((headers) => Object.entries(headers))).toEqual([request, request])
    const decoder = new HeaderDecoder()
    for (const block of blocks) {
      expect(Object.fromEntries(decoded(decoder, block))).toEqual({
        ':status': '200',
        date: 'now',
        ...characters,
      })
    }
    expect(blocks[0]!.length).toBeLessThan(Object.values(characters).join('').length)
    await new Promise((resolve) => server.close(resolve))
  }, 20_000)
})

import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { type Headers } from '../transport.js'
import { ProtocolError, ResponseParser } from './parser.js'

interface Read {
  status: number
  headers: Headers
  body: string
  ended: boolean
  keepAlive: boolean
  rest: string
}

/** Feeds the pieces one by one, then closes when asked. */
function read(pieces: readonly string[], { method = 'GET', close = false } = {}): Read {
  const result: Read = { status: 0, headers: {}, body: '', ended: false, keepAlive: false, rest: '' }
  const parser = new ResponseParser({
    head: (status, headers) => Object.assign(result, { status, headers }),
    data: (chunk) => (result.body += chunk.toString('latin1')),
    end: () => (result.ended = true),
  })
  parser.begin(method)
  for (const piece of pieces)
    result.rest += parser.push(Buffer.from(piece, 'latin1'))?.toString('latin1') ?? ''
  if (close) parser.close()
  result.keepAlive = parser.keepAlive
  return result
}

const ANSWERS: Record<
  string,
  { wire: string; method?: string; close?: boolean; body: string; keepAlive: boolean }
> = {
  'a length': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nX: b\r\n\r\nhello',
    body: 'hello',
    keepAlive: true,
  },
  'no body': { wire: 'HTTP/1.1 204 No Content\r\n\r\n', body: '', keepAlive: true },
  'a length of nothing': {
    wire: 'HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n',
    body: '',
    keepAlive: true,
  },
  chunks: {
    wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a="b"\r\n world\r\n0\r\n\r\n',
    body: 'hello world',
    keepAlive: true,
  },
  'chunks and trailers': {
    wire: 'HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n0A\r\n0123456789\r\n0\r\nA: b\r\nC: d\r\n\r\n',
    body: '0123456789',
    keepAlive: true,
  },
  'chunks and a length': {
    wire: 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    body: 'x',
    keepAlive: false,
  },
  'until close': {
    wire: 'HTTP/1.1 200 OK\r\n\r\nall there is',
    close: true,
    body: 'all there is',
    keepAlive: false,
  },
  'HTTP/1.0': { wire: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', body: 'ok', keepAlive: false },
  'connection: close': {
    wire: 'HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 2\r\n\r\nok',
    body: 'ok',
    keepAlive: false,
  },
  'interim answers': {
    wire: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    body: 'ok',
    keepAlive: true,
  },
  HEAD: { wire: 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', method: 'HEAD', body: '', keepAlive: true },
  'not modified': {
    wire: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n',
    body: '',
    keepAlive: true,
  },
}

describe('reading answers', () => {
  describe.each(Object.entries(ANSWERS))('with %s', (_, { wire, body, keepAlive, ...options }) => {
    it('reads them whole, byte by byte, and split anywhere', () => {
      const whole = read([wire], options)
      expect(whole).toMatchObject({ body, keepAlive, ended: true, rest: '' })
      expect(read([...wire], options)).toEqual(whole)
      for (let at = 1; at < wire.length; at++) {
        expect(read([wire.slice(0, at), wire.slice(at)], options)).toEqual(whole)
      }
    })

    it('reports the answer as broken when it ends early', () => {
      const headEnd = wire.lastIndexOf('\r\n\r\n')
      for (let at = 0; at < wire.length; at++) {
        if (options.close && at >= headEnd + 4) continue
        const run = (): unknown => read([wire.slice(0, at)], { ...options, close: true })
        expect(run, wire.slice(0, at)).toThrow(ProtocolError)
      }
    })
  })

  it('keeps repeated headers, lower case, and cookies apart', () => {
    const { headers } = read([
      'HTTP/1.1 200 OK\r\nWarning: one\r\nwarning: two\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nEmpty:\r\nContent-Length: 0\r\n\r\n',
    ])
    expect(headers).toEqual({
      warning: 'one, two',
      'set-cookie': ['a=1', 'b=2'],
      empty: '',
      'content-length': '0',
    })
  })

  it('hands over what follows a change of protocol, and what nobody asked for', () => {
    const wire = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nfirst bytes'
    expect(read([wire])).toMatchObject({ status: 101, rest: 'first bytes', keepAlive: false })
    const twice = 'HTTP/1.1 204 No Content\r\n\r\n'
    expect(read([twice + twice])).toMatchObject({ status: 204, rest: twice })
  })

  it('delivers many chunks found together in one call', () => {
    let calls = 0
    let body = ''
    const parser = new ResponseParser({
      head: () => undefined,
      data: (chunk) => {
        calls++
        body += chunk.toString()
      },
      end: () => undefined,
    })
    parser.begin('GET')
    const chunks = Array.from({ length: 100 }, (_, i) => `3\r\n${100 + i}\r\n`).join('')
    parser.push(Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`))

    expect(calls).toBe(1)
    expect(body).toBe(Array.from({ length: 100 }, (_, i) => 100 + i).join(''))
  })

  it.each([
    'HTTP/2 200 OK\r\n\r\n',
    'SSH-2.0-OpenSSH_8.4\r\n',
    '{"json":true}',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded: yes\r\n\r\n',
    'HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nname : x\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: \0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n__proto__: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 3, 4\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\nabc',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n',
    `HTTP/1.1 200 OK\r\na: ${'x'.repeat(70_000)}`,
    `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}\r\n`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;${'x'.repeat(10_000)}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(20_000)}`,
  ])('refuses %j', (wire) => {
    expect(() => read([wire])).toThrow(ProtocolError)
    expect(() => read(wire.length < 500 ? [...wire] : [wire])).toThrow(ProtocolError)
  })

  it('ends on anything: an answer, a wait for more, or a ProtocolError', () => {
    const fragment = fc.constantFrom(
      ...[
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.1 100 Continue\r\n\r\n',
        'Content-Length: 3\r\n',
        'Transfer-Encoding: chunked\r\n',
      ],
      ...[
        '\r\n',
        '\r',
        '\n',
        '3\r\nabc\r\n',
        '0\r\n',
        '0\r\n\r\n',
        'abc',
        ':',
        '\0',
        ' ',
        'ffff',
        ';',
        'HTTP/1.1 204 X\r\n\r\n',
      ],
    )
    const wire = fc.array(fc.oneof({ weight: 8, arbitrary: fragment }, fc.string({ maxLength: 5 })), {
      maxLength: 14,
    })
    fc.assert(
      fc.property(wire, fc.integer({ min: 1, max: 9 }), fc.boolean(), (fragments, size, close) => {
        const text = fragments.join('')
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
        const run = (input: readonly string[]): unknown => {
          try {
            return read(input, { close })
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
            return (error as Error).message.slice(0, 0)
          }
        }
        expect(run(pieces)).toEqual(run(text === '' ? [] : [text]))
      }),
      { numRuns: 3000 },
    )
  })
})

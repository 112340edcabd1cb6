import { describe, expect, it } from 'vitest'
import * as fc from '../../../../test/fixtures/properties.js'
import { HeaderDecoder, HeaderEncoder, HeaderListTooLarge, HpackError } from './index.js'

type Fields = [name: string, value: string][]

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

function decoded(decoder: HeaderDecoder, block: Buffer): Fields {
  const fields: Fields = []
  decoder.decode(block, (name, value) => fields.push([name, value]))
  return fields
}

function encoded(encoder: HeaderEncoder, fields: Fields): string {
  encoder.begin()
  for (const [name, value] of fields) encoder.addIndexed(name, value)
  return encoder.finish().toString('hex')
}

const REQUESTS: Fields[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
]

const LOCATION: Fields[number] = ['location', 'https://www.example.com']
const RESPONSES: Fields[] = [
  [[':status', '302'], ['cache-control', 'private'], ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'], LOCATION],
  [[':status', '307'], ['cache-control', 'private'], ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'], LOCATION],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
    LOCATION,
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
]

describe('blocks of header fields', () => {
  it.each([
    [
      'RFC 7541 C.3, requests as they are',
      4_096,
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'RFC 7541 C.4, requests in the Huffman code',
      4_096,
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'RFC 7541 C.6, answers that drive each other out of the table',
      256,
      RESPONSES,
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('are read as in %s', (_, tableLimit, expected, blocks) => {
    const decoder = new HeaderDecoder({ tableLimit })
    expect(blocks.map((block) => decoded(decoder, bytes(block)))).toEqual(expected)
  })

  it('are written as in RFC 7541 C.3', () => {
    const encoder = new HeaderEncoder()
    expect(REQUESTS.map((fields) => encoded(encoder, fields))).toEqual([
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ])
  })

  it('take one byte for a field that comes again, and make no room for one that does not', () => {
    const encoder = new HeaderEncoder()
    const agent: Fields[number] = ['user-agent', 'orrery']
    encoded(encoder, [agent, ['x-user', 'jane']])

    encoder.begin()
    encoder.add('x-path', '/')
    encoder.finish()

    expect(encoded(encoder, [agent, ['x-user', 'jane']])).toBe('bfbe')
  })

  it('keep the token of a service account in the table, and nothing so large that all else must go', () => {
    const encoder = new HeaderEncoder()
    const token: Fields[number] = ['authorization', `Bearer ${'x'.repeat(1_300)}`]
    encoded(encoder, [['user-agent', 'orrery'], token])

    encoded(encoder, [['cookie', 'y'.repeat(4_000)]])

    expect(encoded(encoder, [['user-agent', 'orrery'], token])).toBe('bfbe')
  })

  it('are written as in RFC 7541 C.5 where the peer has a small table', () => {
    const encoder = new HeaderEncoder()
    encoder.setLimit(256)
    expect(RESPONSES.map((fields) => encoded(encoder, fields))).toEqual([
      '3fe101' + // The size of the table.
        '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
        '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a6970' +
        '7738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b20' +
        '6d61782d6167653d333630303b2076657273696f6e3d31',
    ])
  })

  it('begin with both sizes where the table was emptied and may be large again', () => {
    const encoder = new HeaderEncoder()
    encoded(encoder, [['user-agent', 'orrery']])

    encoder.setLimit(0)
    encoder.setLimit(100_000)

    expect(encoded(encoder, [[':method', 'GET']])).toBe('203fe11f82')
    expect(encoded(encoder, [[':method', 'GET']])).toBe('82')
  })

  it('leave the table of the reader when there is no more room for them, and are not kept for ever', () => {
    const decoder = new HeaderDecoder({ tableLimit: 70 })
    decoded(decoder, bytes('4001 6101 62')) // 34 bytes each
    decoded(decoder, bytes('4001 6301 64'))
    expect(decoded(decoder, bytes('be bf')).map(([name]) => name)).toEqual(['c', 'a'])

    decoded(decoder, bytes('4001 6501 66'))

    expect(decoded(decoder, bytes('be bf')).map(([name]) => name)).toEqual(['e', 'c'])
    expect(() => decoded(decoder, bytes('c0'))).toThrow(HpackError)
  })

  it('come back as they were written, whatever is in the table and however large it may be', () => {
    const letters = (most: number): fc.Arbitrary<string> =>
      fc.string({
        unit: fc.integer({ min: 0x20, max: 0xff }).map((n) => String.fromCharCode(n)),
        maxLength: most,
      })
    const name = fc.oneof(fc.constantFrom('x-a', 'date', 'etag', ':path', 'authorization'), letters(20))
    const value = fc.oneof(fc.constantFrom('', '1', 'GET', '/'), letters(200), letters(1_500))
    const field = fc.tuple(name, value, fc.boolean())
    const block = fc.record({ limit: fc.option(fc.nat(5_000)), fields: fc.array(field, { maxLength: 12 }) })

    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const encoder = new HeaderEncoder()
        const decoder = new HeaderDecoder()
        for (const { limit, fields } of blocks) {
          if (limit !== null) encoder.setLimit(limit)
          encoder.begin()
          for (const [name, value, isKept] of fields)
            if (isKept) encoder.addIndexed(name, value)
            else encoder.add(name, value)
          expect(decoded(decoder, encoder.finish())).toEqual(fields.map(([name, value]) => [name, value]))
        }
      }),
    )
  })

  it('fail in one way, whatever bytes they are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }), (blocks) => {
        const decoder = new HeaderDecoder()
        for (const block of blocks) {
          try {
            decoder.decode(Buffer.from(block), () => undefined)
          } catch (error) {
            expect(error).toBeInstanceOf(HpackError)
            return
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['an index of nothing', 'be'],
    ['index zero', '80'],
    ['a number without end', 'ff ff'],
    ['a number too large', 'ff ff ff ff ff 0f'],
    ['a string without end', '00 01 61 05 62'],
    ['a string that is missing', '00 01 61'],
    ['a table larger than announced', '3f e2 1f'],
    ['a new size of the table after a field', '82 20'],
    ['padding that is a whole byte', '00 01 61 82 1f ff'],
    ['padding that is not of ones', '00 01 61 81 18'],
    ['a symbol that is cut off', '00 01 61 82 ff fe'],
    ['the end of a string within it', '00 01 61 84 ff ff ff ff'],
  ])('are refused with %s', (_, hex) => {
    expect(() => decoded(new HeaderDecoder(), bytes(hex))).toThrow(HpackError)
  })

  it('may be too long without being lost for the next one', () => {
    const decoder = new HeaderDecoder({ maxListSize: 100 })
    const encoder = new HeaderEncoder()
    const block = (): Buffer => {
      encoder.begin()
      encoder.addIndexed('x-large', 'y'.repeat(90))
      encoder.addIndexed('x-small', '1')
      return encoder.finish()
    }
    expect(() => decoded(decoder, block())).toThrow(HeaderListTooLarge)
    expect(() => decoded(decoder, block())).toThrow(HeaderListTooLarge)
    encoder.begin()
    encoder.addIndexed('x-small', '1')
    expect(decoded(decoder, encoder.finish())).toEqual([['x-small', '1']])
  })
})

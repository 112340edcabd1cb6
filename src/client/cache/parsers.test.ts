/** What takes lists, lines and events apart, fed in every possible cut. */
import { describe, expect, it } from 'vitest'
import * as fc from '../../../test/fixtures/properties.js'
import { members, withoutTypeMeta } from './bytes.js'
import { LineSplitter } from './lines.js'
import { ListParser } from './listparser.js'
import { decodeWatchEvent } from './watchevent.js'

function parseList(pieces: readonly Buffer[]): { items: string[]; envelope: unknown } {
  const items: string[] = []
  const parser = new ListParser((raw) => items.push(raw.toString()))
  for (const piece of pieces) parser.push(piece)
  return { items, envelope: parser.end() }
}

const LISTS: Record<string, { text: string; items: string[]; envelope: unknown }> = {
  'a usual list': {
    text: '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":[{"items":[]}]}]}',
    items: ['{"a":1}', '{"b":[{"items":[]}]}'],
    envelope: { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items: [] },
  },
  'metadata behind the items': {
    text: '{"items":[{"s":"é ☃ \\" ] } \\\\"}],"metadata":{"continue":"x"}}',
    items: ['{"s":"é ☃ \\" ] } \\\\"}'],
    envelope: { items: [], metadata: { continue: 'x' } },
  },
  'blanks and line ends': {
    text: '{ "metadata" : { } ,\n "items" : [\n {"a":1} ,\n {"a":2}\n ]\n}\n',
    items: ['{"a":1}', '{"a":2}'],
    envelope: { metadata: {}, items: [] },
  },
  'nothing in it': { text: '{"metadata":{},"items":[]}', items: [], envelope: { metadata: {}, items: [] } },
  'null for items': {
    text: '{"metadata":{},"items":null}',
    items: [],
    envelope: { metadata: {}, items: null },
  },
  'other arrays': {
    text: '{"x":["items",[1],{"items":[2]}],"y":"items","items":[{"a":1}]}',
    items: ['{"a":1}'],
    envelope: { x: ['items', [1], { items: [2] }], y: 'items', items: [] },
  },
  'no list at all': { text: '"items"', items: [], envelope: 'items' },
}

describe('taking a list apart', () => {
  it.each(Object.entries(LISTS))(
    'finds the items of %s, however it is cut',
    (_, { text, items, envelope }) => {
      const bytes = Buffer.from(text)
      for (let size = 1; size <= bytes.length; size++) {
        const pieces = []
        for (let at = 0; at < bytes.length; at += size)
          pieces.push(Buffer.from(bytes.subarray(at, at + size)))
        expect(parseList(pieces)).toEqual({ items, envelope })
      }
    },
  )

  it('agrees with JSON.parse on any list of any values', () => {
    const list = fc.record({
      metadata: fc.dictionary(fc.string(), fc.string()),
      items: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
    })
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 40 }), fc.boolean(), (value, size, pretty) => {
        const bytes = Buffer.from(JSON.stringify(value, null, pretty ? 1 : 0))
        const pieces = []
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
        const { items, envelope } = parseList(pieces)
        expect(items.map((item) => JSON.parse(item) as unknown)).toEqual(
          JSON.parse(JSON.stringify(value.items)),
        )
        expect(envelope).toEqual(JSON.parse(JSON.stringify({ ...value, items: [] })))
      }),
    )
  })

  it('ends on anything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{', '}', '[', ']', '"', '"items"', ':', ',', '\\', 'x', '1')),
        (parts) => {
          try {
            parseList(parts.map((part) => Buffer.from(part)))
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError)
          }
        },
      ),
    )
  })

  it('does not collect an endless envelope', () => {
    const parser = new ListParser(() => undefined)
    const push = (): void => {
      for (let i = 0; i < 20; i++) parser.push(Buffer.alloc(100_000, 'x'))
    }
    expect(push).toThrow(/too much around/)
  })
})

describe('cutting lines', () => {
  it('finds the same lines however the bytes arrive', () => {
    const text = 'one\n\ntwo ☃\r\nthree\nunfinished'
    const bytes = Buffer.from(text)
    for (let size = 1; size <= bytes.length; size++) {
      const lines: string[] = []
      const splitter = new LineSplitter((line) => lines.push(line.toString()))
      for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size))
      expect(lines).toEqual(['one', 'two ☃\r', 'three'])
    }
  })

  it('gives up on a line without end', () => {
    const splitter = new LineSplitter(() => undefined, 1000)
    const push = (): void => {
      for (let i = 0; i < 20; i++) splitter.push(Buffer.alloc(100))
    }
    expect(push).toThrow('a line exceeds 1000 bytes')
  })
})

describe('decoding a watch event', () => {
  const object = '{"kind":"Pod","metadata":{"name":"x"}}'

  it.each([
    `{"type":"ADDED","object":${object}}`,
    `{"type":"ADDED","object":${object}}\r`,
    `{"object":${object},"type":"ADDED"}`,
    `{"type":"ADDED","object":${object},"more":{"object":1}}`,
    `{ "type" : "ADDED", "object" : ${object} }`,
  ])('finds type and object of %j', (line) => {
    const event = decodeWatchEvent(Buffer.from(line))
    expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'x' } } })
    expect(event.raw.toString()).toBe(object)
  })

  it.each([
    '',
    '{}',
    'null',
    '[]',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":null}',
    '{"type":"X","object":{}}',
    '{"type":"ADDED","object":{',
  ])('refuses %j', (line) => {
    expect(() => decodeWatchEvent(Buffer.from(line))).toThrow()
  })
})

describe('taking kind and apiVersion out', () => {
  it('leaves exactly the other members of any object', () => {
    const object = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('kind', 'apiVersion', 'metadata')),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(object, fc.boolean(), (value, pretty) => {
        const bytes = Buffer.from(JSON.stringify(value, null, pretty ? 2 : 0))
        const expected = JSON.parse(JSON.stringify(value)) as Record<string, unknown>
        delete expected.kind
        delete expected.apiVersion
        expect(JSON.parse(withoutTypeMeta(bytes).toString())).toEqual(expected)
      }),
    )
  })

  it('ends on what is no object', () => {
    for (const text of [
      '',
      'null',
      '[1]',
      '{',
      '{"a',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":"b',
      '{"a":[1,{',
      '{"\\',
    ]) {
      expect([...members(Buffer.from(text))].length).toBeLessThan(2)
    }
  })
})

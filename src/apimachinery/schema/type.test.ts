import { Type as Library } from 'typebox'
import { describe, expect, it } from 'vitest'
import { Type } from './type.js'

/** One of everything, by either. */
function written(by: typeof Type) {
  return by.Object(
    {
      name: by.String({ minLength: 1 }),
      note: by.Optional(by.Union([by.String(), by.Null()])),
      tags: by.Record(by.String(), by.Array(by.Number(), { maxItems: 3 })),
      kind: by.Union([by.Literal('a'), by.Literal('b')], { description: 'which' }),
      count: by.Optional(by.Integer({ minimum: 0 })),
      on: by.Boolean(),
      rest: by.Unknown(),
      own: by.Unsafe<string>({ type: 'string', format: 'x' }),
      inner: by.Object({ only: by.Optional(by.Null()) }),
    },
    { additionalProperties: false },
  )
}

describe('declaring a schema', () => {
  it('gives the JSON Schema that typebox gives', () => {
    const ours = JSON.parse(JSON.stringify(written(Type))) as unknown

    expect(ours).toEqual(JSON.parse(JSON.stringify(written(Library))))
  })

  it('leaves a schema that is optional in one place required in another', () => {
    const text = Type.String()

    const both = Type.Object({ may: Type.Optional(text), must: text })

    expect(both.required).toEqual(['must'])
  })
})

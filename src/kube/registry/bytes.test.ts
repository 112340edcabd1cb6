import { describe, expect, it } from 'vitest'
import { fieldSpan, labelsOf, metadataBytes, uidOf, withResourceVersion } from './bytes.js'

const object = {
  kind: 'Thing',
  apiVersion: 'v1',
  spec: {
    metadata: { labels: { wrong: 'yes' } },
    text: 'a "quoted\\" { brace',
    n: -1.5e3,
    list: [1, [2], {}],
  },
  metadata: {
    name: 'ü',
    annotations: { labels: '{"no":1}', 'weird"key': '\\' },
    resourceVersion: '7',
    uid: 'u-1',
    labels: { 'app.kubernetes.io/name': 'wéb', empty: '' },
  },
  status: null,
}
const bytes = Buffer.from(JSON.stringify(object))

describe('looking into stored JSON', () => {
  it('finds every field of an object, whatever comes before it', () => {
    for (const [field, value] of Object.entries(object)) {
      const span = fieldSpan(bytes, field)

      expect(JSON.parse(bytes.toString('utf8', span?.start, span?.end))).toEqual(value)
    }
    expect(fieldSpan(bytes, 'absent')).toBeUndefined()
  })

  it('reads labels and uid of the object, not those of nested ones', () => {
    expect(labelsOf(bytes)).toEqual(object.metadata.labels)
    expect(labelsOf(Buffer.from('{"metadata":{}}'))).toEqual({})
    expect(uidOf(bytes)).toBe('u-1')
  })

  it('replaces the resourceVersion and nothing else', () => {
    const changed = JSON.parse(withResourceVersion(bytes, 12345).toString()) as typeof object

    expect(changed).toEqual({ ...object, metadata: { ...object.metadata, resourceVersion: '12345' } })
  })

  it('cuts the metadata out', () => {
    expect(JSON.parse(metadataBytes(bytes).toString())).toEqual(object.metadata)
  })
})

import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { acceptsGzip, compressed, GZIP_FROM_BYTES } from './compression.js'
import { Reply } from './route.js'

const large = 'a pod and another pod; '.repeat(GZIP_FROM_BYTES / 10)
const json = { 'Content-Type': 'application/json' }

describe('a large answer', () => {
  it('is compressed for a client that asks for it, and says so to caches', async () => {
    const packed = await compressed(new Reply(200, json, large), 'br, gzip;q=0.8')

    expect(packed?.headers).toEqual({ ...json, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' })
    expect(gunzipSync(packed?.body as Uint8Array).toString()).toBe(large)
  })

  it('is made of all its parts', async () => {
    const parts = [Buffer.from('[é'), Buffer.from(large), Buffer.from(']')]

    const packed = await compressed(new Reply(200, json, parts), 'gzip')

    expect(gunzipSync(packed?.body as Uint8Array).toString()).toBe(`[é${large}]`)
  })

  it('is sent as it is to everybody else', () => {
    for (const accepted of [undefined, '', 'identity', 'br', 'gzip;q=0', 'xgzip'])
      expect(compressed(new Reply(200, json, large), accepted)).toBeUndefined()
  })
})

describe('a small answer', () => {
  it('is sent as it is', () => {
    expect(compressed(new Reply(200, json, 'small'), 'gzip')).toBeUndefined()
  })
})

describe('a client', () => {
  it('takes gzip when it names it with any weight but none', () => {
    for (const header of ['gzip', 'gzip, deflate, br', 'deflate;q=0.5,gzip;q=0.1', 'gzip ; q=1.0'])
      expect(acceptsGzip(header)).toBe(true)
    for (const header of ['gzip;q=0', 'gzip;q=0.0, br', '*;q=0', 'x-gzip2'])
      expect(acceptsGzip(header)).toBe(false)
  })
})

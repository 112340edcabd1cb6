import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Dictionary } from './dictionary.js'
import { Arena, bytesOf, NOWHERE, Recent, type Tenant } from './index.js'

/** The same numbers each time. */
function randomness(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

function noise(length: number, random: (below: number) => number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)))
}

const role = (i: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      metadata: { name: `role-${i % 7}`, namespace: `project-${i}`, uid: `${(i * 7_919) % 99_991}-${i}` },
      rules: [{ apiGroups: ['*'], resources: ['pods', 'services'], verbs: ['get', 'list', 'watch'] }],
      text: 'what every one of them says '.repeat(8),
    }),
  )

function tenant(): Tenant {
  return { slab: NOWHERE, offset: 0, packedSize: 0, size: 0 }
}

describe('a dictionary', () => {
  const roundTrip = (dictionary: Dictionary, text: Buffer): Buffer => {
    const packed = Buffer.from(dictionary.pack(text))
    return dictionary.unpack(packed, 0, packed.length, Buffer.alloc(text.length))
  }

  it('gives back what it packed, whatever that is', () => {
    const random = randomness(1)
    const dictionary = new Dictionary()
    const words = Array.from({ length: 40 }, () => noise(1 + random(60), random))
    for (let i = 0; i < 600; i++) {
      const parts = Array.from({ length: random(30) }, () =>
        random(4) === 0 ? noise(random(400), random) : (words[random(words.length)] ?? Buffer.alloc(0)),
      )
      const text = Buffer.concat(parts)
      if (random(3) === 0 && text.length < 4_000 && dictionary.hasRoom(text.length)) dictionary.add(text)
      expect(roundTrip(dictionary, text).equals(text)).toBe(true)
    }
  })

  it('gives back texts that are empty, short, long, or one letter only', () => {
    const dictionary = new Dictionary()
    dictionary.add(Buffer.from('abcdefghijklmnop'))
    for (const length of [0, 1, 4, 5, 15, 16, 24, 25, 270, 300, 20_000, 200_000]) {
      const text = Buffer.alloc(length, 'x')
      expect(roundTrip(dictionary, text).equals(text)).toBe(true)
    }
  })

  it('reads what was packed before it grew', () => {
    const dictionary = new Dictionary()
    dictionary.add(role(0))
    const packed = Array.from({ length: 40 }, (_, i) => {
      const text = Buffer.from(dictionary.pack(role(i)))
      dictionary.add(noise(700, randomness(i + 1)))
      return text
    })
    dictionary.close()
    packed.forEach((bytes, i) => {
      const room = Buffer.alloc(role(i).length)
      expect(dictionary.unpack(bytes, 0, bytes.length, room).toString()).toBe(role(i).toString())
    })
  })

  it('makes a tenth of a text that differs from a known one in its names only', () => {
    const dictionary = new Dictionary()
    dictionary.add(role(1))
    expect(dictionary.pack(role(2)).length).toBeLessThan(role(2).length / 10)
  })
})

describe('an arena', () => {
  it('keeps every text through growth, churn and moves', () => {
    const random = randomness(7)
    const arena = new Arena(new Recent())
    const held = new Map<Tenant, Buffer>()
    const freed = new Map<Tenant, Buffer>()
    for (let i = 0; i < 30_000; i++) {
      const one = tenant()
      // Sorts of texts come and go, so that dictionaries fill up and are replaced.
      const strange = Math.floor(i / 3_000) % 2 === 1 && random(3) === 0
      const text = strange ? noise(20 + random(1_500), random) : role(i)
      arena.add(one, text)
      held.set(one, text)
      if (held.size > 3_000 || random(5) === 0) {
        const [gone] = held.keys()
        if (!gone) continue
        freed.set(gone, held.get(gone) ?? Buffer.alloc(0))
        arena.free(gone)
        held.delete(gone)
      }
      if (i % 1_000 === 0) freed.clear()
    }
    for (const [one, text] of [...held, ...freed]) expect(bytesOf(one).equals(text)).toBe(true)
  })

  it('holds many texts that resemble each other in a sixth of their size', () => {
    const arena = new Arena(new Recent())
    let size = 0
    for (let i = 0; i < 20_000; i++) {
      arena.add(tenant(), role(i))
      size += role(i).length
    }
    expect(arena.heldBytes).toBeLessThan(size / 6)
  })

  it('lets its memory go with its tenants, and can be used again', () => {
    const arena = new Arena(new Recent())
    for (let round = 0; round < 3; round++) {
      const tenants = Array.from({ length: 5_000 }, tenant)
      tenants.forEach((one, i) => arena.add(one, role(i)))
      for (const one of tenants) arena.free(one)
      expect(arena.isEmpty).toBe(true)
      // What is left are the slabs that are being filled.
      expect(arena.heldBytes).toBeLessThanOrEqual(2 * 256 * 1024)
    }
  })

  it('hands out bytes that stay true when their place is used again', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const random = randomness(3)
    const kept: [Buffer, Buffer][] = []
    for (let round = 0; round < 10; round++) {
      const arena = new Arena(new Recent())
      const tenants: [Tenant, Buffer][] = []
      for (let i = 0; i < 400; i++) {
        const one = tenant()
        const text = noise(300, random)
        arena.add(one, text)
        tenants.push([one, text])
      }
      // The first are in their place by now, packed to no less than they were.
      for (const [one, text] of tenants.slice(0, 40)) kept.push([bytesOf(one), text])
      // Arenas of earlier rounds are garbage, and their memory comes back.
      collect()
      await new Promise(setImmediate)
    }
    for (const [bytes, text] of kept) expect(bytes.equals(text)).toBe(true)
  })

  it('takes large texts as they are', () => {
    const arena = new Arena(new Recent())
    const [small, large] = [tenant(), tenant()]
    const text = Buffer.alloc(3 * 1024 * 1024, 'large ')
    arena.add(small, Buffer.from('small'))
    arena.add(large, text)
    expect(bytesOf(large).equals(text)).toBe(true)
    arena.free(large)
    expect(arena.heldBytes).toBeLessThan(text.length)
    expect(bytesOf(small).toString()).toBe('small')
  })
})

describe('what was unpacked lately', () => {
  const KIB = 1024
  const heldBy = (buffers: Buffer[]): number =>
    [...new Set(buffers.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)

  it('holds little more than its own bytes, however many other buffers are made between', () => {
    const recent = new Recent()
    const keys = Array.from({ length: 4_000 }, () => ({}))
    const [hot] = keys as [object]
    for (const key of keys) {
      for (let other = 0; other < 50; other++) Buffer.from('x'.repeat(2 * KIB))
      recent.set(key, recent.room(KIB))
      recent.get(hot)
    }

    const kept = keys.flatMap((key) => recent.get(key) ?? [])
    expect(kept.length).toBeGreaterThan(1_000)
    expect(heldBy(kept)).toBeLessThan(5 * KIB * KIB)
  })

  it('stays the same for who reads it again and again', () => {
    const recent = new Recent()
    const key = {}
    recent.set(key, recent.room(5).fill('hello'))
    for (let i = 0; i < 5_000; i++) {
      recent.set({}, recent.room(KIB).fill('x'))
      expect(recent.get(key)?.toString()).toBe('hello')
    }
  })
})

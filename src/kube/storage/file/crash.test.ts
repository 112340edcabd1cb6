import { describe, expect, it } from 'vitest'
import * as fc from '../../../../test/fixtures/properties.js'
import { type Storage, type StorageEvent } from '../interface.js'
import { openUnlocked } from './index.js'
import { SimulatedDisk } from './simulateddisk.js'

/**
 * Random writes, full disks, failing syncs and power failures against one rule: what a reader or watcher has
 * seen, or a writer was told, is there afterwards under the same revision, and no revision shows two things.
 */

const KEYS = ['/a', '/b', '/c', '/d']
const MIN_LOG_BYTES = 4_000

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('put' as const), key: fc.nat(3), bytes: fc.nat(2_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turns' as const), turns: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fill' as const), free: fc.nat(4_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), syncs: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'mend' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), seed: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
)

describe('a store on a failing disk', () => {
  it('shows nothing that it can lose, and no revision twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        let disk = new SimulatedDisk()
        const truth = new Truth()
        let storage = await open(disk, truth)

        for (const action of steps) {
          if (action.do === 'put' || action.do === 'delete') {
            const key = KEYS[action.key]!
            if (action.do === 'delete' && !storage.head(key)) continue
            const bytes = action.do === 'put' ? action.bytes : 10
            const encode = (revision: number) => Buffer.alloc(bytes + 20, `${revision}.${truth.writes++};`)
            storage[action.do](key, encode).then(
              (entry) => truth.acknowledged(entry.modRevision, key, entry.value),
              () => {},
            )
          } else if (action.do === 'turns') {
            for (let i = 0; i < action.turns; i++) await turn()
          } else if (action.do === 'fill') disk.freeBytes = action.free
          else if (action.do === 'break') disk.goodSyncs = action.syncs
          else if (action.do === 'mend') {
            disk.freeBytes = Infinity
            disk.goodSyncs = Infinity
          } else {
            if (action.do === 'reopen') await storage.close()
            disk = disk.crash(random(action.do === 'crash' ? action.seed : 1))
            storage = await open(disk, truth)
          }
        }

        disk.freeBytes = Infinity
        disk.goodSyncs = Infinity
        await storage.put('/first', () => Buffer.from('may still fail')).catch(() => {})
        await storage.put('/second', () => Buffer.from('must not'))
        await storage.close()
        await (await open(disk, truth)).close()
      }),
      { numRuns: 400 },
    )
  })
})

/** All that anyone has seen. */
class Truth {
  writes = 0
  readonly #events = new Map<number, string>()
  #newest = 1

  saw({ revision, key, type, value }: StorageEvent): void {
    this.#note(revision, `${key} ${value.toString()}`)
    this.#state.set(key, type === 'put' ? `${revision} ${value.toString()}` : undefined)
  }

  acknowledged(revision: number, key: string, value: Buffer): void {
    expect(this.#events.get(revision)).toBe(`${key} ${value.toString()}`)
  }

  /** Checks a store just opened, and takes over what it shows. */
  check(storage: Storage): void {
    expect(storage.revision).toBeGreaterThanOrEqual(this.#newest)
    const before = this.#newest
    storage.watch('', Math.max(before, storage.oldestRevision), { events() {}, ended() {} })
    for (const key of KEYS) {
      const entry = storage.get(key)
      const known = this.#state.get(key)
      if (entry && entry.modRevision > before) {
        // Was on its way when the power failed; nobody had seen it.
        this.#note(entry.modRevision, `${key} ${entry.value.toString()}`)
        this.#state.set(key, `${entry.modRevision} ${entry.value.toString()}`)
      } else if (entry) {
        expect(`${entry.modRevision} ${entry.value.toString()}`).toBe(known)
      } else if (known !== undefined) {
        expect(storage.revision).toBeGreaterThan(before)
        this.#state.set(key, undefined)
      }
    }
    this.#newest = storage.revision
  }

  readonly #state = new Map<string, string | undefined>()

  #note(revision: number, what: string): void {
    expect(this.#events.get(revision) ?? what).toBe(what)
    this.#events.set(revision, what)
    this.#newest = Math.max(this.#newest, revision)
  }
}

async function open(disk: SimulatedDisk, truth: Truth): Promise<Storage> {
  disk.freeBytes = Infinity
  disk.goodSyncs = Infinity
  const storage = await openUnlocked({ directory: '/disk', fileSystem: disk, minLogBytes: MIN_LOG_BYTES })
  truth.check(storage)
  storage.watch('', storage.revision, {
    events: (events) => events.forEach((event) => truth.saw(event)),
    ended() {},
  })
  return storage
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A small generator, so that a failure can be played again. */
function random(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

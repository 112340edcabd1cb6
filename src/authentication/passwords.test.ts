import bcrypt from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { type Hasher } from './hashthread.js'
import { BusyError, Passwords } from './passwords.js'

const HASH = bcrypt.hashSync('right', 4)

/** A comparison that ends when told. */
function held() {
  const ends: ((right: boolean) => void)[] = []
  let running = 0
  let most = 0
  const compare = async (): Promise<boolean> => {
    most = Math.max(most, ++running)
    const right = await new Promise<boolean>((resolve) => ends.push(resolve))
    running--
    return right
  }
  const drain = async (): Promise<void> => {
    for (let idle = 0; idle < 20; idle++) {
      const end = ends.shift()
      if (end !== undefined) idle = 0
      end?.(false)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  return { compare, drain, most: () => most, started: () => ends.length }
}

const comparing = (compare: Hasher['compare']): Hasher => ({ compare, hash: () => bcrypt.hash('nothing', 4) })

describe('passwords', () => {
  it.each([
    ['$2a$', true],
    ['$2b$', true],
    ['$2y$', true],
  ])('are compared with hashes of prefix %s', async (prefix, right) => {
    const hash = HASH.replace(/^\$2[aby]\$/, prefix)

    expect(await new Passwords().matches('right', hash, 'ann')).toBe(right)
    expect(await new Passwords().matches('wrong', hash, 'ann')).toBe(false)
  })

  it('are hashed so that they match', async () => {
    const passwords = new Passwords()

    expect(await passwords.matches('new', await passwords.hash('new'), 'ann')).toBe(true)
  })

  it('never match an account without one', async () => {
    expect(await new Passwords().matches('', '', 'unknown')).toBe(false)
  })

  it('that were right a moment ago are not compared again, unless the hash is another', async () => {
    let compared = 0
    const compare = async (password: string): Promise<boolean> => {
      compared++
      return password === 'right'
    }
    const passwords = new Passwords({ hasher: comparing(compare) })

    for (let i = 0; i < 3; i++) await passwords.matches('right', HASH, 'ann')
    for (let i = 0; i < 3; i++) await passwords.matches('wrong', HASH, 'ann')
    expect(compared).toBe(1 + 3)

    await passwords.matches('right', `${HASH.slice(0, -1)}x`, 'ann')
    expect(compared).toBe(5)
  })

  it('are compared one at a time, and a flood is refused', async () => {
    const { compare, drain, most } = held()
    const passwords = new Passwords({
      hasher: comparing(compare),
      maxWaiting: 5,
      maxWaitingPerAccount: 3,
      refuseAfterMs: 0,
    })

    const flood = Array.from({ length: 10 }, () => passwords.matches('x', HASH, 'ann'))
    const others = Array.from({ length: 10 }, (_, i) => passwords.matches('x', HASH, `u${i}`))
    const settled = Promise.allSettled([...flood, ...others])
    await drain()
    const outcomes = (await settled).map((result) =>
      result.status === 'fulfilled' ? 'done' : result.reason instanceof BusyError ? 'busy' : 'error',
    )

    expect(most()).toBe(1)
    expect(outcomes.slice(0, 10).filter((outcome) => outcome === 'done')).toHaveLength(3)
    expect(outcomes.slice(10).filter((outcome) => outcome === 'done')).toHaveLength(3)
    expect(outcomes).not.toContain('error')
  })

  it('of a client that has left are not compared', async () => {
    const { compare, drain, most } = held()
    const passwords = new Passwords({ hasher: comparing(compare) })
    const leave = new AbortController()

    const first = passwords.matches('x', HASH, 'ann')
    const second = passwords.matches('x', HASH, 'bob', leave.signal)
    leave.abort(new Error('left'))

    await expect(second).rejects.toThrow('left')
    await drain()
    expect(await first).toBe(false)
    expect(most()).toBe(1)
  })

  it('leave the event loop free', async () => {
    const passwords = new Passwords()
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)

    await Promise.all(Array.from({ length: 4 }, (_, i) => passwords.hash(`p${i}`)))

    clearInterval(timer)
    expect(ticks).toBeGreaterThan(20)
  })
})

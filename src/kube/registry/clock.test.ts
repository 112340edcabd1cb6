import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.js'

const MB = 1024 ** 2

describe('the clock of the system', () => {
  it('leaves nothing of what was called off: memory grew by each duration of a watch', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    setFlagsFromString('--no-expose-gc')
    const cancelAll = (): void => {
      for (let i = 0; i < 50_000; i++) systemClock.after(1_800_000 + i, () => {})()
    }
    collect()
    const before = process.memoryUsage().heapUsed
    cancelAll()
    collect()

    // With a list for each: 9 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * MB)
  })
})

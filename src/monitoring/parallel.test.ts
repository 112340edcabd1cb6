import { describe, expect, it } from 'vitest'
import { inParallel } from './parallel.js'

describe('work in parallel', () => {
  it('is done a few at a time, and answered in order', async () => {
    let running = 0
    let most = 0
    const answers = await inParallel([5, 4, 3, 2, 1, 0], 2, async (turns) => {
      most = Math.max(most, ++running)
      for (let i = 0; i < turns; i++) await Promise.resolve()
      running--
      return turns
    })

    expect(answers).toEqual([5, 4, 3, 2, 1, 0])
    expect(most).toBe(2)
  })

  it('fails as a whole with the first failure', async () => {
    const work = inParallel([1, 2, 3], 2, (each) =>
      each === 2 ? Promise.reject(new Error('two')) : Promise.resolve(each),
    )

    await expect(work).rejects.toThrow('two')
  })
})

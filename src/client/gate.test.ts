import { describe, expect, it } from 'vitest'
import { gate } from './gate.js'

/** A cache that becomes complete when told. */
function cache() {
  let complete: () => void = () => undefined
  const done = new Promise<void>((resolve) => (complete = resolve))
  return {
    synced: false,
    whenSynced: (signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
        void done.then(resolve)
      }),
    complete() {
      this.synced = true
      complete()
    },
  }
}

describe('a gate', () => {
  it('opens for those who wait when every cache is complete, and stays open', async () => {
    const [users, roles] = [cache(), cache()]
    const pending = gate([users, roles], 'users')

    const waiting = pending()
    expect(waiting).toBeInstanceOf(Promise)
    users.complete()
    roles.complete()

    await waiting
    expect(pending()).toBeUndefined()
    users.synced = false
    expect(pending()).toBeUndefined()
  })

  it('refuses with 503 when it takes too long', async () => {
    const pending = gate([cache()], 'users', 10)

    await expect(pending()).rejects.toMatchObject({ code: 503, message: 'users are not loaded yet' })
  })
})

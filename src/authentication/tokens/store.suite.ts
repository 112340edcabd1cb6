/** What every token store must do; run by the tests of each. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TokenStore } from './store.js'

/** @param pass lets the time go by, for real or not */
export function tokenStoreSuite(
  open: () => Promise<TokenStore> | TokenStore,
  pass: (ms: number) => Promise<void> | void,
): void {
  describe('a token store', () => {
    let store: TokenStore
    beforeEach(async () => {
      store = await open()
    })
    afterEach(async () => {
      await store.close()
    })

    it('has what was put, for that user only', async () => {
      await store.put('ann', 'a.b.c', 60_000)

      expect(await store.has('ann', 'a.b.c')).toBe(true)
      expect(await store.has('bob', 'a.b.c')).toBe(false)
      expect(await store.has('ann', 'x.y.z')).toBe(false)
    })

    it('forgets a token when its time is over', async () => {
      await store.put('ann', 'short', 50)
      await store.put('ann', 'long', 60_000)

      await pass(80)

      expect(await store.has('ann', 'short')).toBe(false)
      expect(await store.has('ann', 'long')).toBe(true)
    })

    it('gives a token that is taken twice to one of the two', async () => {
      await store.put('ann', 'code', 60_000)

      const taken = await Promise.all([store.delete('ann', 'code'), store.delete('ann', 'code')])

      expect(taken.sort()).toEqual([false, true])
      expect(await store.has('ann', 'code')).toBe(false)
    })

    it('deletes all tokens of one user and none of users with similar names', async () => {
      for (const user of ['an', 'ann', 'annabel', 'a*'])
        for (const token of ['1', '2']) await store.put(user, token, 60_000)

      await store.deleteAll('ann')
      await store.deleteAll('a*')

      expect(await store.has('ann', '1')).toBe(false)
      expect(await store.has('ann', '2')).toBe(false)
      expect(await store.has('a*', '1')).toBe(false)
      expect(await store.has('an', '1')).toBe(true)
      expect(await store.has('annabel', '2')).toBe(true)
    })

    it('keeps users with a colon in the name apart', async () => {
      await store.put('system:pre-registration', 't', 60_000)
      await store.deleteAll('system')

      expect(await store.has('system:pre-registration', 't')).toBe(true)
    })
  })
}

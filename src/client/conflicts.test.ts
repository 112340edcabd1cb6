import { expect, it } from 'vitest'
import { conflict } from '../apimachinery/errors/index.js'
import { retrying } from './conflicts.js'

const stale = (): Error => conflict({ group: '', resource: 'users' }, 'ana', 'the object has been modified')

/** What somebody else has written can be read some time later, and not at the next moment. */
function written(afterMs: number): () => Promise<string> {
  const readable = Date.now() + afterMs
  return () => (Date.now() < readable ? Promise.reject(stale()) : Promise.resolve('written'))
}

it('a change right after the login is not lost against what the login writes', async () => {
  expect(await retrying(false, written(20))).toBe('written')
})

it('whoever names a version is told that it is not the present one', async () => {
  await expect(retrying(true, written(20))).rejects.toThrow('has been modified')
})

it('another error is told at once', async () => {
  let tries = 0
  const attempt = (): Promise<never> => Promise.reject(new Error(`try ${++tries}`))

  await expect(retrying(false, attempt)).rejects.toThrow('try 1')
})

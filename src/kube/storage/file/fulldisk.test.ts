import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Unwritable } from '../interface.js'
import { openFileStorage } from './index.js'

const mountPoint = mkdtempSync(join(tmpdir(), 'orrery-full-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mountPoint]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', [mountPoint])
  rmSync(mountPoint, { recursive: true, force: true })
})

describe.skipIf(!mounted)('a real file system that is full (skipped where tmpfs cannot be mounted)', () => {
  it('refuses writes, keeps what was acknowledged, and goes on when there is space', async () => {
    const directory = join(mountPoint, 'data')
    const ballast = join(mountPoint, 'ballast')
    writeFileSync(ballast, Buffer.alloc(1024 * 1024))
    const storage = await openFileStorage({ directory, minLogBytes: 100_000 })
    const put = (key: string) => storage.put(key, () => Buffer.alloc(10_000, key))

    const accepted: string[] = []
    let refusal: unknown
    for (let i = 0; refusal === undefined; i++) {
      await put(`/k${i}`).then(
        ({ key }) => accepted.push(key),
        (error: unknown) => (refusal = error),
      )
    }
    expect(refusal).toBeInstanceOf(Unwritable)
    expect(accepted.length).toBeGreaterThan(20)
    const { revision } = storage
    const keys = () => storage.list('').items.map(({ key }) => key)
    expect(keys()).toEqual([...accepted].sort())
    await expect(put('/more')).rejects.toBeInstanceOf(Unwritable)
    expect(storage.revision).toBe(revision)

    truncateSync(ballast, 0)
    expect((await put('/more')).modRevision).toBe(revision + 1)
    await storage.close()

    const again = await openFileStorage({ directory })
    expect(again.list('').items.map(({ key }) => key)).toEqual([...accepted, '/more'].sort())
    expect(again.get('/more')?.value.equals(Buffer.alloc(10_000, '/more'))).toBe(true)
    await again.close()
  })
})

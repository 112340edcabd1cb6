import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Locked, openFileStorage } from './index.js'
import { lockDirectory } from './lock.js'

describe('the lock of a directory', () => {
  let directory: string
  let path: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-lock-'))
    path = join(directory, 'lock')
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const holder = async () => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>

  it('refuses a second store on it, naming the process, until the first is closed', async () => {
    const first = await openFileStorage({ directory })
    const second = openFileStorage({ directory })
    await expect(second).rejects.toBeInstanceOf(Locked)
    await expect(second).rejects.toThrow(`in use by process ${process.pid}`)

    await first.close()
    const third = await openFileStorage({ directory })
    await first.close()
    await expect(openFileStorage({ directory })).rejects.toBeInstanceOf(Locked)
    await third.close()
    expect(await readdir(directory)).not.toContain('lock')
  })

  it('lets one of many contenders in', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(directory)))
    const held = results.filter((result) => result.status === 'fulfilled')
    expect(held).toHaveLength(1)
    await held[0]!.value.release()
    expect(await readdir(directory)).toEqual([])
  })

  it('refuses while another process lives, and takes over when it is gone', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const own = await lockDirectory(directory)
    const me = await holder()
    await own.release()
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    await writeFile(path, JSON.stringify({ ...me, pid: child.pid, startedAt }))

    await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${child.pid}`)

    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await lockDirectory(directory)).release()
  })

  it('takes over from a process whose id now belongs to another one', async () => {
    const own = await lockDirectory(directory)
    const me = await holder()
    await own.release()
    await writeFile(path, JSON.stringify({ ...me, pid: process.ppid, startedAt: '1' }))
    await (await lockDirectory(directory)).release()

    await writeFile(path, JSON.stringify({ ...me, startedAt: 'earlier, in a container where ids repeat' }))
    await (await lockDirectory(directory)).release()
  })

  it('believes a holder elsewhere for as long as it touches the file', async () => {
    await writeFile(path, JSON.stringify({ pid: 7, startedAt: '', space: 'other-host' }))
    await expect(lockDirectory(directory)).rejects.toThrow(
      'process 7 of another host or container (other-host)',
    )

    const silentSince = new Date(Date.now() - 60_000)
    await utimes(path, silentSince, silentSince)
    await (await lockDirectory(directory)).release()
  })

  it('takes over a lock that cannot be read', async () => {
    await writeFile(path, '')
    await (await lockDirectory(directory)).release()
  })
})

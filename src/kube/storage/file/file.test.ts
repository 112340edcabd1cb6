import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStorage } from '../conformance.js'
import { openFileStorage } from './index.js'

const directories: string[] = []
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

describeStorage('file storage', async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-storage-'))
  directories.push(directory)
  return openFileStorage({ directory, ...options })
})

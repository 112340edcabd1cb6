/** `orrery backup` and `orrery restore`, also below `orrery kube`: the whole state of the embedded Kubernetes API. */
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { builtinResources } from '../kube/builtin/index.js'
import { createCatalogue } from '../kube/registry/catalogue.js'
import { restoreState, type StateLists } from '../kube/restore.js'
import { exportEntries, importStorage } from '../kube/storage/archive.js'
import { openFileStorage, readStore } from '../kube/storage/file/index.js'
import { type Storage } from '../kube/storage/interface.js'
import { dataDirectory, runningServer } from './datadir.js'
import { UsageError } from './failures.js'

export interface BackupFlags {
  to: string
  dataDir: string
}

/** Also while a server is using the directory: nothing in it is changed, and no write has to wait. */
export async function backup({ to, dataDir }: BackupFlags): Promise<void> {
  const data = dataDirectory(dataDir)
  if (!existsSync(data.store)) throw new UsageError(`There is no state in ${data.path}.`)
  const { revision, count, runs } = await readStore(data.store)
  const draft = `${to}.part`
  try {
    await exportEntries(revision, runs, createWriteStream(draft, { mode: 0o600 }))
    const file = await open(draft, 'r')
    await file.sync()
    await file.close()
    renameSync(draft, to)
    process.stdout.write(`${count} objects at revision ${revision} written to ${to}\n`)
  } finally {
    rmSync(draft, { force: true })
  }
}

export interface RestoreFlags {
  from: string
  dataDir: string
  crds?: string
}

export async function restore({ from, dataDir, crds }: RestoreFlags): Promise<void> {
  if (!existsSync(from)) throw new UsageError(`${from} does not exist.`)
  const data = dataDirectory(dataDir)
  refuseWhileRunning(dataDir, 'restore into it')
  if (existsSync(data.store) && readdirSync(data.store).length > 0) {
    throw new UsageError(`${data.path} already holds state. Restore into an empty directory: --data-dir DIR`)
  }
  await withStorage(data.store, async (storage) => {
    const lists = readLists(from)
    if (lists === undefined) {
      if (crds !== undefined)
        throw new UsageError('--crds goes with a file of lists; an archive holds its definitions.')
      await importStorage(createReadStream(from), storage)
    } else {
      const catalogue = createCatalogue()
      for (const definition of builtinResources()) catalogue.set(definition)
      await restoreState(storage, catalogue, lists, crds === undefined ? {} : { crds })
    }
    process.stdout.write(
      `${storage.count('/registry/')} objects at revision ${storage.revision} restored into ${data.path}\n`,
    )
  })
}

/** @returns undefined when the file is no JSON object of lists */
function readLists(file: string): StateLists | undefined {
  const bytes = readFileSync(file)
  if (bytes[0] !== 0x7b) return undefined
  try {
    return JSON.parse(bytes.toString('utf8')) as StateLists
  } catch (error) {
    throw new UsageError(`${file} is no archive and no readable JSON: ${(error as Error).message}`)
  }
}

function refuseWhileRunning(dataDir: string, what: string): void {
  const running = runningServer(dataDirectory(dataDir))
  if (running)
    throw new UsageError(`A server (process ${running.pid}) is using ${dataDir}; stop it to ${what}.`)
}

async function withStorage(directory: string, work: (storage: Storage) => Promise<void>): Promise<void> {
  const storage = await openFileStorage({ directory })
  try {
    await work(storage)
  } finally {
    await storage.close()
  }
}

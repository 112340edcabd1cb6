/**
 * Keeps two processes from using one directory.
 *
 * The lock file names its holder: process id, the time that process started (ids are used again) and the id
 * space it belongs to (host and container). A holder in our own space can be looked up; one elsewhere, on a
 * shared disk or in another container, shows that it lives by touching the file every few seconds. A lock
 * whose holder is gone is taken over.
 */
import { randomUUID } from 'node:crypto'
import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { LOCK_NAME } from './names.js'

interface Holder {
  pid: number
  startedAt: string
  space: string
}

export interface Lock {
  release(): Promise<void>
}

/** Another process, or this one, has the directory open. */
export class Locked extends Error {
  override readonly name = 'Locked'
  constructor(
    directory: string,
    readonly pid: number,
    where: string,
  ) {
    super(`storage: ${directory} is in use by process ${pid}${where}; stop it or choose another directory`)
  }
}

const HEARTBEAT_MS = 2_000
const SILENT_AFTER_MS = 10_000
/** What this process holds or is about to; a lock file with our own id can then only be of a process long gone. */
const claimedHere = new Set<string>()

/** @throws Locked */
export async function lockDirectory(directory: string): Promise<Lock> {
  const path = join(resolve(directory), LOCK_NAME)
  if (claimedHere.has(path)) throw new Locked(directory, process.pid, '')
  claimedHere.add(path)
  try {
    return await take(directory, path)
  } catch (error) {
    claimedHere.delete(path)
    throw error
  }
}

async function take(directory: string, path: string): Promise<Lock> {
  const own = `${path}.${randomUUID()}`
  const me = JSON.stringify({
    pid: process.pid,
    startedAt: await startOf(process.pid),
    space: await idSpace(),
  } satisfies Holder)
  await writeFile(own, me, { mode: 0o600 })
  try {
    // Linking fails when the name exists, so one of two contenders gets it, and never half written.
    while (!(await linked(own, path))) await clearStale(directory, path)
  } finally {
    await rm(own, { force: true })
  }

  const heartbeat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT_MS)
  heartbeat.unref()
  let released = false
  return {
    async release() {
      if (released) return
      released = true
      clearInterval(heartbeat)
      try {
        if ((await contents(path)) === me) await rm(path, { force: true })
      } finally {
        claimedHere.delete(path)
      }
    },
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the lock when its holder is gone. @throws Locked */
async function clearStale(directory: string, path: string): Promise<void> {
  const text = await contents(path)
  if (text === undefined) return
  const holder = parse(text)
  if (holder) await assertGone(directory, path, holder)

  // Another contender may have replaced the lock meanwhile: take away only the one that was judged.
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if ((await contents(aside)) !== text) await linked(aside, path)
  await rm(aside, { force: true })
}

async function assertGone(directory: string, path: string, holder: Holder): Promise<void> {
  if (holder.space === (await idSpace())) {
    const alive =
      holder.pid !== process.pid && isRunning(holder.pid) && (await startOf(holder.pid)) === holder.startedAt
    if (alive) throw new Locked(directory, holder.pid, '')
    return
  }
  const { mtimeMs } = await stat(path)
  if (Date.now() - mtimeMs < SILENT_AFTER_MS) {
    throw new Locked(directory, holder.pid, ` of another host or container (${holder.space})`)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** The kernel's start time of a process; empty where /proc does not tell. */
async function startOf(pid: number): Promise<string> {
  const status = await contents(`/proc/${pid}/stat`)
  // The name, in parentheses, may contain anything; the start time is the 20th field behind it.
  const fields = status?.slice(status.lastIndexOf(')') + 2).split(' ') ?? []
  // A process that was killed stays listed until its parent has looked; it holds nothing any more.
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : (fields[19] ?? '')
}

async function idSpace(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${hostname()} ${namespace}`.trim()
}

async function contents(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>
    return typeof holder.pid === 'number'
      ? { startedAt: '', space: '', ...holder, pid: holder.pid }
      : undefined
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/**
 * Replays recorded groups against a running server with the replayer that comes with the recordings, and sorts the
 * differences into those that are meant and those that are not.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goldenPath } from './shared.js'

export interface GroupResult {
  group: string
  total: number
  ok: number
  statusOk: number
  /** `<id> <user> <method> <path>`, newline, what differs. */
  differences: string[]
}

export interface ReplayRequest {
  base: string
  groups: readonly string[]
  /** Folder of the group files; default: the common recordings. */
  directory?: string
}

export async function replay({
  base,
  groups,
  directory = goldenPath(''),
}: ReplayRequest): Promise<GroupResult[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'orrery-replay-'))
  const report = join(scratch, 'report.json')
  try {
    const args = [
      goldenPath('replay.mjs'),
      '--base',
      base,
      '--dir',
      directory,
      '--json',
      report,
      '--min',
      '0',
      '--show',
      '0',
    ]
    await new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [...args, ...groups.flatMap((group) => ['--group', group])], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child.on('error', reject)
      child.on('exit', () => resolve())
    })
    return JSON.parse(readFileSync(report, 'utf8')) as GroupResult[]
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Recording id → why ours is better. These differences do not count. */
export type Meant = Readonly<Record<string, string>>

export interface Verdict {
  group: string
  /** Share of matches among the entries that count. */
  share: number
  /** Differences that are not meant, for the test's output. */
  remaining: string[]
}

/** @param ignored ids of entries that do not count, such as those of groups that are not there yet */
export function judge(
  { group, total, differences }: GroupResult,
  meant: Meant,
  ignored: ReadonlySet<string> = NONE,
): Verdict {
  const counting = differences.filter((difference) => !ignored.has(idOf(difference)))
  const remaining = counting.filter((difference) => meant[idOf(difference)] === undefined)
  const entries = total - ignored.size - (counting.length - remaining.length)
  return { group, share: entries === 0 ? 0 : (entries - remaining.length) / entries, remaining }
}

const NONE: ReadonlySet<string> = new Set()

export function idOf(difference: string): string {
  return difference.split(' ', 1)[0] ?? ''
}

/** `orrery kube fsck`: says what is damaged in the stored state, and what a start would make of it. */
import { existsSync } from 'node:fs'
import { checkStore, type StoreCheck } from '../kube/storage/file/index.js'
import { dataDirectory } from './datadir.js'
import { UsageError } from './failures.js'

export interface FsckFlags {
  dataDir: string
}

export async function fsck({ dataDir }: FsckFlags): Promise<void> {
  const data = dataDirectory(dataDir)
  if (!existsSync(data.store)) throw new UsageError(`There is no state in ${data.path}.`)
  const check = await checkStore(data.store)
  process.stdout.write(`${report(check, data.store).join('\n')}\n`)
  if (!check.state || check.files.some(({ damage }) => damage.length > 0)) process.exitCode = 1
}

function report({ files, formatVersion, state, refusal }: StoreCheck, directory: string): string[] {
  const lines = [`${directory}, format version ${formatVersion}`]
  for (const { name, bytes, records, damage, unfinished } of files) {
    const verdict = damage.length > 0 ? 'DAMAGED' : unfinished > 0 ? 'unfinished at its end' : 'sound'
    lines.push(`  ${name}  ${bytes} bytes, ${records} records: ${verdict}`)
    for (const { offset, what, bytes: lost } of damage) {
      lines.push(`    offset ${offset}, ${lost} bytes: ${what}`)
    }
    if (unfinished > 0) {
      lines.push(
        `    the last ${unfinished} bytes are of a write that never ended; the next start cuts them off`,
      )
    }
  }
  if (state) lines.push(`${state.count} objects at revision ${state.revision}.`)
  else lines.push(`A start would refuse: ${refusal ?? ''}`)
  return lines
}

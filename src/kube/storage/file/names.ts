/** Names in the directory of a store: `log-<number>`, `snapshot-<revision>`, `snapshot.tmp`, `lock`. */

export const TEMPORARY_NAME = 'snapshot.tmp'
export const LOCK_NAME = 'lock'

const DIGITS = 16
const PATTERN = /^(log|snapshot)-(\d{16})$/

export interface StoreFile {
  name: string
  kind: 'log' | 'snapshot'
  number: number
}

export function logName(number: number): string {
  return `log-${String(number).padStart(DIGITS, '0')}`
}

export function snapshotName(revision: number): string {
  return `snapshot-${String(revision).padStart(DIGITS, '0')}`
}

/** The store's files among the names of a directory, ascending by kind and number. */
export function storeFiles(names: readonly string[]): StoreFile[] {
  const files: StoreFile[] = []
  for (const name of [...names].sort()) {
    const match = PATTERN.exec(name)
    if (match) files.push({ name, kind: match[1] as StoreFile['kind'], number: Number(match[2]) })
  }
  return files
}

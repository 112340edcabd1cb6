/** Where the recordings of the original are, and how to skip without them. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../shared/golden/', import.meta.url))

export const HAVE_GOLDEN = existsSync(`${ROOT}state.json`)
export const WITHOUT_GOLDEN = 'SKIPPED WITHOUT ../shared/golden'

export interface Entry {
  id: string
  desc?: string
  request: {
    user: string | null
    method: string
    path: string
    headers?: Record<string, string>
    json?: unknown
    form?: Record<string, string>
    raw?: string
  }
  response: { status: number; headers: Record<string, string>; json?: unknown; text?: string }
}

export function goldenPath(name: string): string {
  return `${ROOT}${name}`
}

export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T
}

export function entriesOf(group: string): Entry[] {
  return readGolden<{ entries: Entry[] }>(`${group}.json`).entries
}

/** Groups whose routes come later. */
const ABSENT = [
  'gateway.kubesphere.io',
  'openpitrix.io',
  'devops.kubesphere.io',
  'resources.kubesphere.io/v1alpha2/(?!users/)',
]
const absent = new RegExp(`^/kapis/(?:clusters/[^/]+/)?(?:${ABSENT.join('|')})`)

/** Whether the path is of a group that is there. */
export function isServed(path: string): boolean {
  return !absent.test(path)
}

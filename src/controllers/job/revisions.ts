/** The runs of a Job, as its annotation `revisions` keeps them: a Job that is run again keeps the history of its name. */
import { equal, isObject } from '../../apimachinery/json/value.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'

export interface JobObject extends KubeObject {
  spec?: { completions?: number }
  status?: {
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    completionTime?: string
    succeeded?: number
    failed?: number
  }
}

export const REVISIONS = 'revisions'

/** As Go writes a time that is not set. */
const NEVER = '0001-01-01T00:00:00Z'

/** @returns the annotation's text with this run in it, undefined when it has it already */
export function revisionsWith(job: Readonly<JobObject>): string | undefined {
  const known = revisionsIn(job.metadata.annotations?.[REVISIONS])
  const current = currentRun(job)
  const found = Object.keys(known).find((key) => (known[key] as { uid?: unknown }).uid === job.metadata.uid)
  if (found !== undefined && equal(known[found], current)) return undefined
  const key = found ?? String(Object.keys(known).length + 1)
  return JSON.stringify({ ...known, [key]: current })
}

/** What cannot be read is begun anew. */
function revisionsIn(text: string | undefined): Record<string, object> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return isObject(value) && Object.values(value).every(isObject) ? (value as Record<string, object>) : {}
  } catch {
    return {}
  }
}

function currentRun({ metadata, spec = {}, status = {} }: Readonly<JobObject>): object {
  const { conditions = [], succeeded = 0, failed = 0, completionTime = NEVER } = status
  const holding = conditions.filter((condition) => condition.status === 'True')
  const failures = holding.filter(({ type }) => type === 'Failed')
  const isComplete = holding.some(({ type }) => type === 'Complete')
  return {
    status: isComplete ? 'completed' : failures.length > 0 ? 'failed' : 'running',
    ...(failures.length > 0 && {
      reasons: failures.map(({ reason = '' }) => reason),
      messages: failures.map(({ message = '' }) => message),
    }),
    ...(succeeded > 0 && { succeed: succeeded }),
    ...((spec.completions ?? 0) > 0 && { desire: spec.completions }),
    ...(failed > 0 && { failed }),
    uid: metadata.uid ?? '',
    'start-time': metadata.creationTimestamp ?? NEVER,
    'completion-time': completionTime,
  }
}

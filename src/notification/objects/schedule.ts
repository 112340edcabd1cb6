/** When a silence is in force. Schedules are cron expressions of five fields, in the time zone of the process. */
import { Cron } from 'croner'
import { badRequest } from '../../apimachinery/errors/index.js'
import { durationOf } from './duration.js'
import { type AlertSelector } from './types.js'

export interface SilenceSpec {
  enabled?: boolean
  matcher?: AlertSelector
  startsAt?: string
  schedule?: string
  duration?: string
}

/** @throws StatusError 400 */
export function scheduleOf(text: string): Cron {
  const fields = text.trim().split(/\s+/)
  if (fields.length !== 5 && !/^@\w+$/.test(text.trim()))
    throw badRequest(`expected exactly 5 fields, found ${fields.length}: [${text}]`)
  try {
    return new Cron(text.trim(), { paused: true })
  } catch (error) {
    throw badRequest(`failed to parse the schedule: ${(error as Error).message}`, { cause: error })
  }
}

/** Asked for each alert. */
const READ = new Map<string, Cron>()
const MOST_READ = 1_000

/** @throws StatusError 400 */
function known(text: string): Cron {
  const cron = READ.get(text) ?? scheduleOf(text)
  if (READ.size >= MOST_READ) READ.clear()
  READ.set(text, cron)
  return cron
}

/** A schedule that cannot be read, or a silence without a matcher, mutes nothing. */
export function isInForce(spec: SilenceSpec, now: Date): boolean {
  if (spec.enabled === false || !spec.matcher) return false
  const durationMs =
    spec.duration === undefined || spec.duration === '' ? undefined : durationOf(spec.duration)
  if (spec.schedule !== undefined && spec.schedule !== '') {
    if (durationMs === undefined) return true
    try {
      const schedule = known(spec.schedule)
      const before = schedule.nextRun(new Date(now.getTime() - durationMs))
      const after = schedule.nextRun(now)
      return before?.getTime() !== after?.getTime()
    } catch {
      return false
    }
  }
  if (spec.startsAt !== undefined && spec.startsAt !== '') {
    const start = Date.parse(spec.startsAt)
    if (Number.isNaN(start) || now.getTime() < start) return false
    return durationMs === undefined || now.getTime() < start + durationMs
  }
  return true
}

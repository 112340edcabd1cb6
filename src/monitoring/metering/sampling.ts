/**
 * Consumption is sampled hourly, whatever is asked for: each point stands for the hour before it. Coarser steps are
 * sums of hours, counted from the end.
 */
import { badRequest } from '../../apimachinery/errors/index.js'
import { type Point } from '../../integrations/prometheus/types.js'
import { plainNumber } from '../answer.js'
import { type Times } from '../parameters.js'

export const HOUR = 3_600
const DAY = 24 * HOUR

export interface Sampling {
  /** What Prometheus is asked. */
  times: Times
  /** Hours that one point of the answer stands for. */
  hours: number
}

/** @throws StatusError 400 */
export function hourly(times: Times): Sampling {
  if (times.kind === 'instant') return { times, hours: 1 }
  const step = Math.max(times.step, HOUR)
  if (times.end - times.start > 30 * DAY && step < DAY)
    throw badRequest('step should be larger than 24 hours')
  if (step % HOUR !== 0) throw badRequest('step should be integer hours')
  // The first hour ends an hour after the start.
  const start = Math.min(times.start + HOUR, times.end)
  return { times: { kind: 'range', start, end: times.end, step: HOUR }, hours: step / HOUR }
}

/** The oldest group may be short. */
export function grouped(points: readonly Point[], hours: number): Point[] {
  const groups: Point[] = []
  for (let end = points.length; end > 0; end -= hours) {
    const group = points.slice(Math.max(0, end - hours), end)
    const sum = group.reduce((total, [, value]) => total + amount(value), 0)
    groups.unshift([group.at(-1)?.[0] ?? 0, plainNumber(String(sum))])
  }
  return groups
}

/** What is no number is nothing that was consumed. */
export function amount(value: string): number {
  const number = Number(value)
  return Number.isFinite(number) ? number : 0
}

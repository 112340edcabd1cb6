import { describe, expect, it } from 'vitest'
import { parseSchedule } from './schedule.js'

const next = (schedule: string, from: string): string =>
  new Date(parseSchedule(schedule).next(Date.parse(from)) ?? 0).toISOString()

describe('a cron schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00.000Z'],
    ['*/15 * * * *', '2026-01-01T00:45:00Z', '2026-01-01T01:00:00.000Z'],
    ['5-10/5,30 3 * * *', '2026-01-01T03:05:00Z', '2026-01-01T03:10:00.000Z'],
    ['0 0 29 feb *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 12 1 * mon', '2026-01-02T00:00:00Z', '2026-01-05T12:00:00.000Z'],
    ['0 12 * * MON-FRI', '2026-01-02T13:00:00Z', '2026-01-05T12:00:00.000Z'],
    ['3/20 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:03:00.000Z'],
    ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00.000Z'],
    ['@monthly', '2026-01-31T23:59:59Z', '2026-02-01T00:00:00.000Z'],
    ['@every 1h30m', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00.000Z'],
  ])('%s after %s fires at %s', (schedule, from, expected) => {
    expect(next(schedule, from)).toBe(expected)
  })

  it('that never comes true has no next time', () => {
    expect(parseSchedule('0 0 31 2 *').next(0)).toBeUndefined()
  })
})

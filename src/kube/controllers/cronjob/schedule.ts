/** Cron schedules, in UTC: five fields, or one of the @words. The kind's validation has refused what is none. */

export interface Schedule {
  /** The first time after `ms`; undefined when there is none within five years. */
  next(ms: number): number | undefined
}

const WORDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const MINUTE = 60_000
const DAY = 86_400_000

export function parseSchedule(text: string): Schedule {
  const schedule = text.replace(/^(TZ|CRON_TZ)=\S+\s+/, '').trim()
  if (schedule.startsWith('@every ')) return every(schedule.slice(7))
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = (
    WORDS[schedule] ?? schedule
  ).split(/\s+/)
  return at({
    minutes: members(minutes, 0, 59),
    hours: members(hours, 0, 23),
    days: members(days, 1, 31),
    months: members(months, 1, 12, MONTHS),
    weekdays: members(weekdays, 0, 6, DAYS),
    // Where both are restricted either is enough.
    eitherDay: !isEvery(days) && !isEvery(weekdays),
  })
}

/** Intervals are in whole seconds, one at least. */
function every(text: string): Schedule {
  let ms = 0
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    ms += Number(amount) * (UNITS[unit] ?? 0)
  }
  const interval = Math.max(1000, Math.floor(ms / 1000) * 1000)
  return { next: (from) => Math.floor(from / 1000) * 1000 + interval }
}

const isEvery = (field: string): boolean => field.startsWith('*') || field.startsWith('?')

interface Fields {
  minutes: ReadonlySet<number>
  hours: ReadonlySet<number>
  days: ReadonlySet<number>
  months: ReadonlySet<number>
  weekdays: ReadonlySet<number>
  eitherDay: boolean
}

function members(
  field: string,
  low: number,
  high: number,
  words: readonly string[] = [],
): ReadonlySet<number> {
  const found = new Set<number>()
  const valueOf = (text: string): number => {
    const word = words.indexOf(text.toLowerCase())
    return word >= 0 ? word + low : Number(text)
  }
  for (const part of field.split(',')) {
    const [span = '', step = '1'] = part.split('/')
    const [from = '', to] = span.split('-')
    const first = isEvery(span) ? low : valueOf(from)
    const single = part.includes('/') || isEvery(span) ? high : first
    const last = to === undefined ? single : valueOf(to)
    for (let value = first; value <= last; value += Number(step)) found.add(value)
  }
  return found
}

function at(fields: Fields): Schedule {
  const isDay = (date: Date): boolean => {
    if (!fields.months.has(date.getUTCMonth() + 1)) return false
    const [day, weekday] = [fields.days.has(date.getUTCDate()), fields.weekdays.has(date.getUTCDay())]
    return fields.eitherDay ? day || weekday : day && weekday
  }
  return {
    next(from) {
      let time = (Math.floor(from / MINUTE) + 1) * MINUTE
      for (const limit = from + 5 * 366 * DAY; time < limit;) {
        const date = new Date(time)
        if (!isDay(date)) time = (Math.floor(time / DAY) + 1) * DAY
        else if (!fields.hours.has(date.getUTCHours())) time = (Math.floor(time / 3_600_000) + 1) * 3_600_000
        else if (!fields.minutes.has(date.getUTCMinutes())) time += MINUTE
        else return time
      }
      return undefined
    },
  }
}

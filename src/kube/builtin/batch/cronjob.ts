/** batch CronJob, in both versions. */
import { type KubeObject, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { type Faults, invalidValue, nonNegative, oneOf, required } from '../faults.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { type KindRules } from '../rules.js'
import { type JobSpec, jobSpecFaults } from './job.js'

interface CronJob extends KubeObject {
  spec: {
    schedule: string
    startingDeadlineSeconds?: number
    concurrencyPolicy?: string
    suspend?: boolean
    jobTemplate: { metadata: ObjectMeta; spec: JobSpec }
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
  }
}

const view = (object: object) => object as CronJob

/** A job is named after its CronJob, a dash and ten digits. */
const NAME_LIMIT = 63 - 11

export const cronJob: KindRules = {
  defaults(object) {
    const { spec } = view(object)
    defaultPodTemplate(spec.jobTemplate.spec.template)
    spec.concurrencyPolicy ??= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
  },
  validate(object) {
    const faults = specFaults(view(object).spec)
    const { name = '' } = object.metadata
    if (name.length > NAME_LIMIT) {
      faults.push(invalidValue('metadata.name', name, `must be no more than ${NAME_LIMIT} characters`))
    }
    return faults
  },
}

function specFaults(spec: CronJob['spec']): Faults {
  const faults: Faults = []
  if (spec.schedule === '') faults.push(required('spec.schedule'))
  else {
    const why = scheduleFault(spec.schedule)
    if (why !== undefined) faults.push(invalidValue('spec.schedule', spec.schedule, why))
  }
  return [
    ...faults,
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
    ...jobSpecFaults('spec.jobTemplate.spec', spec.jobTemplate.spec),
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

const DESCRIPTORS = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/
const EVERY = /^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/
const RANGES: readonly [name: string, low: number, high: number, words: string][] = [
  ['minute', 0, 59, ''],
  ['hour', 0, 23, ''],
  ['day of month', 1, 31, ''],
  ['month', 1, 12, 'jan feb mar apr may jun jul aug sep oct nov dec'],
  ['day of week', 0, 6, 'sun mon tue wed thu fri sat'],
]

/** @returns what is wrong with a schedule of five fields or an @word, or undefined */
export function scheduleFault(text: string): string | undefined {
  const schedule = text.replace(/^(TZ|CRON_TZ)=\S+\s+/, '').trim()
  if (schedule.startsWith('@')) {
    if (DESCRIPTORS.test(schedule) || EVERY.test(schedule)) return undefined
    return `unrecognized descriptor: ${schedule}`
  }
  const fields = schedule.split(/\s+/)
  if (fields.length !== 5) {
    return `Expected exactly 5 fields, found ${fields.length}: ${schedule}`
  }
  for (const [index, field] of fields.entries()) {
    const range = RANGES[index]
    if (range === undefined) break
    for (const part of field.split(',')) {
      const why = partFault(part, range)
      if (why !== undefined) return why
    }
  }
  return undefined
}

function partFault(part: string, [, low, high, words]: (typeof RANGES)[number]): string | undefined {
  const pieces = part.split('/')
  if (pieces.length > 2) return `too many slashes: ${part}`
  const [span = '', step] = pieces
  const ends = span.split('-')
  if (ends.length > 2) return `too many hyphens: ${part}`
  const numbers: number[] = []
  if (span !== '*' && span !== '?') {
    for (const end of ends) {
      const word = words.split(' ').indexOf(end.toLowerCase())
      const value = word >= 0 && end !== '' ? word + low : Number(end)
      if (end === '' || !Number.isInteger(value))
        return `failed to parse int from ${end}: strconv.Atoi: parsing ${JSON.stringify(end)}: invalid syntax`
      numbers.push(value)
    }
  }
  const [first = low, last = numbers.length > 0 ? first : high] = numbers
  if (first < low) return `beginning of range (${first}) below minimum (${low}): ${part}`
  if (last > high) return `end of range (${last}) above maximum (${high}): ${part}`
  if (first > last) return `beginning of range (${first}) beyond end of range (${last}): ${part}`
  if (step !== undefined && !(Number(step) > 0)) return `step of range should be a positive number: ${part}`
  return undefined
}

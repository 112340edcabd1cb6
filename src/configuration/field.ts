/**
 * The building blocks of the configuration schema: each field has a type, a default, a description, and a way
 * to read what people write in YAML or in an environment variable.
 *
 * Decoding is as lenient about scalars as the original (`"1"` is 1, `1` is true, `"a,b"` is a list) and keys are
 * matched without regard to case; a value that cannot be read is an error naming the key's full path.
 */
import { formatDuration, parseDuration } from './duration.js'

export interface Problem {
  /** `authentication.oauthOptions.accessTokenMaxAge` */
  path: string
  message: string
}

/** Collects what is wrong (errors stop the start) and what is odd (warnings do not). */
export interface Report {
  errors: Problem[]
  warnings: Problem[]
}

export interface Field<T> {
  readonly type: string
  readonly description: string
  /** Never printed. */
  readonly secret: boolean
  initial(): T
  /** @returns undefined after reporting an error */
  decode(value: unknown, path: string, report: Report): T | undefined
  /** The value as a person would write it in the file. */
  print(value: T): unknown
  /** Fields of a section. */
  readonly fields?: Readonly<Record<string, Field<unknown>>>
}

interface FieldOptions {
  secret?: boolean
}

function scalar<T>(
  type: string,
  initial: T,
  description: string,
  read: (value: unknown) => T | undefined,
  options: FieldOptions & { print?: (value: T) => unknown } = {},
): Field<T> {
  return {
    type,
    description,
    secret: options.secret ?? false,
    initial: () => structuredClone(initial),
    decode(value, path, report) {
      const read_ = read(value)
      if (read_ === undefined)
        report.errors.push({ path, message: `expected ${type}, got ${describe(value)}` })
      return read_
    },
    print: options.print ?? ((value) => value),
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value !== null && typeof value === 'object') return 'a map'
  return JSON.stringify(value) ?? String(value)
}

export function text(initial: string, description: string, options: FieldOptions = {}): Field<string> {
  const read = (value: unknown): string | undefined =>
    typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : undefined
  return scalar('a text', initial, description, read, options)
}

export function choice<const T extends string>(
  values: readonly T[],
  initial: T,
  description: string,
): Field<T> {
  return scalar<T>(`one of ${values.join(', ')}`, initial, description, (value) =>
    values.find((candidate) => candidate === value),
  )
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', ''])

export function flag(initial: boolean, description: string): Field<boolean> {
  return scalar('true or false', initial, description, (value) => {
    if (typeof value === 'boolean') return value
    if (typeof value === 'number') return value !== 0
    if (typeof value === 'string' && TRUE.has(value)) return true
    if (typeof value === 'string' && FALSE.has(value)) return false
    return undefined
  })
}

export function number(initial: number, description: string): Field<number> {
  return scalar('a number', initial, description, readNumber)
}

export function integer(initial: number, description: string): Field<number> {
  return scalar('a whole number', initial, description, (value) => {
    const read = readNumber(value)
    return read !== undefined && Number.isSafeInteger(read) ? read : undefined
  })
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' && value.trim() !== '') value = Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Milliseconds in memory; `10m0s` or nanoseconds in the file. @param initialMs milliseconds */
export function duration(initialMs: number, description: string): Field<number> {
  return scalar('a duration such as 30s, 10m or 168h', initialMs, description, parseDuration, {
    print: formatDuration,
  })
}

/** A list of texts; one text is split at commas. */
export function texts(initial: readonly string[], description: string): Field<string[]> {
  return scalar('a list of texts', [...initial], description, (value) => {
    if (typeof value === 'string') return value === '' ? [] : value.split(',').map((part) => part.trim())
    if (!Array.isArray(value)) return undefined
    const read = value.map((item: unknown) =>
      typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean'
        ? String(item)
        : undefined,
    )
    return read.some((item) => item === undefined) ? undefined : (read as string[])
  })
}

/** A map kept as written: options of an identity provider or of a cache. */
export function anyMap(description: string, options: FieldOptions = {}): Field<Record<string, unknown>> {
  return scalar(
    'a map',
    {},
    description,
    (value) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : undefined,
    options,
  )
}

type Fields = Readonly<Record<string, Field<unknown>>>
export type Values<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

export function section<const F extends Fields>(description: string, fields: F): Field<Values<F>> {
  const byLowerCase = new Map(Object.keys(fields).map((key) => [key.toLowerCase(), key]))
  return {
    type: 'a map',
    description,
    secret: false,
    fields,
    initial: () =>
      Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.initial()])) as Values<F>,
    decode(value, path, report) {
      const out = this.initial() as Record<string, unknown>
      // An empty section keeps its defaults.
      if (value === null || value === undefined || value === '') return out as Values<F>
      if (typeof value !== 'object' || Array.isArray(value)) {
        report.errors.push({ path, message: `expected a map, got ${describe(value)}` })
        return undefined
      }
      for (const [written, item] of Object.entries(value)) {
        const key = byLowerCase.get(written.toLowerCase())
        const here = path === '' ? (key ?? written) : `${path}.${key ?? written}`
        const field = key === undefined ? undefined : fields[key]
        if (key === undefined || field === undefined) {
          const near = nearest(written, Object.keys(fields))
          report.warnings.push({
            path: here,
            message:
              near === undefined ? 'unknown key, ignored' : `unknown key, ignored; did you mean ${near}?`,
          })
        } else if (item !== null && item !== undefined) {
          const decoded = field.decode(item, here, report)
          if (decoded !== undefined) out[key] = decoded
        }
      }
      return out as Values<F>
    },
    print: (value) =>
      Object.fromEntries(
        Object.entries(fields).map(([key, field]) => [
          key,
          printField(field, (value as Record<string, unknown>)[key]),
        ]),
      ),
  }
}

export function listOf<T>(item: Field<T>, description: string): Field<T[]> {
  return {
    type: 'a list',
    description,
    secret: false,
    initial: () => [],
    decode(value, path, report) {
      if (!Array.isArray(value)) {
        report.errors.push({ path, message: `expected a list, got ${describe(value)}` })
        return undefined
      }
      return value.flatMap((entry: unknown, position) => {
        const decoded = item.decode(entry, `${path}[${position}]`, report)
        return decoded === undefined ? [] : [decoded]
      })
    },
    print: (value) => value.map((entry) => printField(item as Field<unknown>, entry)),
  }
}

function printField(field: Field<unknown>, value: unknown): unknown {
  if (field.secret && value !== '' && value !== undefined) return '******'
  return field.print(value)
}

/** The known word closest to what was written, when it is close enough to be a slip. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(written.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/**
 * A query as conditions in SQL.
 *
 * Records refer to a row of `facets`, the values that many records share, so conditions on those values are decided
 * once for each row there, not once for each record. Texts are found through the full-text indexes.
 */
import { type KindSchema } from '../kinds.js'
import { type Match, type ReadablePlace, type RecordQuery } from '../interface.js'

/** Identifiers carry the time, in milliseconds, above these bits; the bits tell records of one time apart. */
export const SERIAL_BITS = 20n
/** Times beyond are not kept: the year 2109. */
export const LAST_MS = 2 ** 42
export const FIRST_ID = -(BigInt(LAST_MS) << SERIAL_BITS)
export const LAST_ID = BigInt(LAST_MS) << SERIAL_BITS

export interface Condition {
  sql: string
  params: (string | number)[]
}

export interface CompiledQuery {
  /** Nothing can match. */
  isEmpty: boolean
  /** On rows of `facets f`; undefined: all. */
  facets: Condition | undefined
  /** `[column, value, first id]` of places, and columns that may be missing; undefined: all places. */
  places: { rows: [number, string, string][]; columns: number[]; lacks: number[] } | undefined
  /** For `words MATCH`. */
  text: string | undefined
  first: bigint
  last: bigint
}

/** @throws Error for a field that the kind of record does not have */
export function compile(
  { fields, text }: KindSchema,
  query: RecordQuery,
  valuesLike: (column: string, pattern: RegExp) => string[],
  wordsFrom: (prefix: string) => string[],
): CompiledQuery {
  const columnOf = (path: string): number => {
    const column = fields.findIndex((field) => field.path === path)
    if (column < 0) throw new Error(`records have no field ${path}`)
    return column
  }
  const isText = (match: Match): boolean => match.field === text

  const onText = query.where.filter((alternatives) => alternatives.some(isText))
  const onFacets = query.where.filter((alternatives) => !alternatives.some(isText))
  const phrases = onText.map((alternatives) =>
    alternatives.flatMap((match) => boundedPhrase(match, wordsFrom)),
  )
  const conditions = onFacets.map((alternatives) =>
    anyOf(alternatives.map((match) => facetCondition(match, columnOf(match.field), valuesLike))),
  )
  const first = query.from ? idAt(query.from.getTime()) : FIRST_ID
  const last = query.to ? idAt(query.to.getTime() + 1) - 1n : LAST_ID
  return {
    isEmpty:
      phrases.some((alternatives) => alternatives.length === 0) ||
      query.where.some((alternatives) => alternatives.length === 0) ||
      query.readable.length === 0 ||
      first > last,
    facets: conditions.length > 0 ? allOf(conditions) : undefined,
    places: query.readable === 'everything' ? undefined : placesOf(query.readable, columnOf),
    text:
      phrases.length > 0
        ? phrases.map((alternatives) => `(${alternatives.join(' OR ')})`).join(' AND ')
        : undefined,
    first,
    last,
  }
}

/** The first identifier of a time. */
export function idAt(ms: number): bigint {
  return BigInt(Math.trunc(Math.min(Math.max(ms, -LAST_MS), LAST_MS))) << SERIAL_BITS
}

function placesOf(
  readable: readonly ReadablePlace[],
  columnOf: (path: string) => number,
): CompiledQuery['places'] {
  const rows: [number, string, string][] = []
  const lacks: number[] = []
  for (const place of readable) {
    if ('lacks' in place) lacks.push(columnOf(place.lacks))
    else {
      const first = place.since ? idAt(place.since.getTime()) : FIRST_ID
      rows.push([columnOf(place.field), place.is, String(first)])
    }
  }
  return { rows, columns: [...new Set(rows.map(([column]) => column))], lacks }
}

function facetCondition(
  match: Match,
  column: number,
  valuesLike: (column: string, pattern: RegExp) => string[],
): Condition {
  const name = `c${column}`
  if ('is' in match) return { sql: `f.${name} = ?`, params: [match.is] }
  if ('number' in match) return { sql: `f.${name} = ?`, params: [match.number] }
  if ('glob' in match) return { sql: `f.${name} GLOB ?`, params: [match.glob.replaceAll('[', '[[]')] }
  if ('pattern' in match) {
    // Values are few in comparison, and SQLite brings no regular expressions.
    const values = valuesLike(name, new RegExp(`^(?:${match.pattern})$`))
    return { sql: `f.${name} IN (SELECT value FROM json_each(?))`, params: [JSON.stringify(values)] }
  }
  const phrases = textPhrase(match)
  if (phrases.length === 0) return { sql: '0', params: [] }
  return {
    sql: 'f.id IN (SELECT rowid FROM facet_words WHERE facet_words MATCH ?)',
    params: phrases.map((phrase) => `{${name}} : ${phrase}`),
  }
}

/** @returns none for a text without a word, which nothing matches */
function textPhrase(match: Match): string[] {
  const [text, end] =
    'prefix' in match ? [match.prefix, ' *'] : 'words' in match ? [match.words, ''] : ['', '']
  if (!/[\p{L}\p{N}\p{Co}]/u.test(text)) return []
  return [`"${spaced(text).replaceAll('\0', ' ').replaceAll('"', '""')}"${end}`]
}

const LONE_LETTER = /^[^\p{L}\p{N}\p{Co}\p{M}]*([\p{L}\p{N}\p{Co}])[^\p{L}\p{N}\p{Co}\p{M}]*$/u

/** A letter alone begins any number of words: as for Elasticsearch, it stands for the first of them. */
function boundedPhrase(match: Match, wordsFrom: (prefix: string) => string[]): string[] {
  const [, letter] = ('prefix' in match ? LONE_LETTER.exec(match.prefix) : null) ?? []
  const words = letter === undefined ? [] : wordsFrom(letter.toLowerCase())
  // None: the letter is written otherwise in the index, or begins nothing. Either is little work.
  if (words.length === 0) return textPhrase(match)
  return words.flatMap((word) => textPhrase({ field: match.field, words: word }))
}

/** Text as it is given to the full-text index, which cuts words at blanks: a character that is a word stands alone. */
export function spaced(text: string): string {
  return BEYOND_ALPHABETS.test(text) ? text.replace(IDEOGRAPHS, ' $& ') : text
}

/** Most texts have none of these, and are told apart at the price of looking through them. */
const BEYOND_ALPHABETS = /[^\0-\u2e7f]/
const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}]/gu

function anyOf(conditions: Condition[]): Condition {
  return joined(conditions, ' OR ')
}

function allOf(conditions: Condition[]): Condition {
  return joined(conditions, ' AND ')
}

function joined(conditions: Condition[], word: string): Condition {
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(word)})`,
    params: conditions.flatMap(({ params }) => params),
  }
}

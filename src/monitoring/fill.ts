/** Puts matchers and texts into the places of a query. Everything that comes from a request is quoted before. */
import { type Matcher, matcherText, quote } from '../integrations/prometheus/promql/text.js'

/** By name without `$`. Matchers, a text to be quoted, or a duration or number of our own making. */
export type Places = Readonly<Record<string, readonly Matcher[] | { text: string } | { literal: string }>>

/** A place with the comma before and after it, which go when nothing is put there. */
const PLACE = /(,\s*)?\$([a-z]+)(\s*,)?/g

/** @throws Error for a place that the level does not know: a fault in the definitions */
export function fill(expression: string, places: Places): string {
  return expression.replace(
    PLACE,
    (_, before: string | undefined, name: string, after: string | undefined) => {
      const value = places[name]
      if (value === undefined) throw new Error(`nothing to put in place of $${name} in ${expression}`)
      const text = textOf(value)
      if (text === '') return before !== undefined && after !== undefined ? ',' : ''
      return (before ?? '') + text + (after ?? '')
    },
  )
}

function textOf(value: Places[string]): string {
  if ('text' in value) return quote(value.text)
  if ('literal' in value) return value.literal
  return value.map(matcherText).join(',')
}

/** Filters of metric names: RE2, searched anywhere in a name, in linear time whatever the expression. */
import { RE2JS } from 're2js'

export type NameFilter = (name: string) => boolean

/** @returns undefined for an expression that does not compile: it matches nothing, and is no error */
export function nameFilter(expression: string): NameFilter | undefined {
  try {
    const pattern = RE2JS.compile(expression)
    return (name) => pattern.matcher(name).find()
  } catch {
    return undefined
  }
}

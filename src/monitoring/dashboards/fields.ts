/** Reads the JSON of strangers: what has another type than expected counts as absent. */

export type Json = Readonly<Record<string, unknown>>

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

export type FieldType = 'string' | 'number' | 'boolean' | 'strings'

/** Those fields that are there and have their type. */
export function picked(from: Json, types: Readonly<Record<string, FieldType>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(types).flatMap(([name, type]) => {
      const value = from[name]
      if (type === 'strings') return Array.isArray(value) ? [[name, textsOf(value)]] : []
      if (type === 'number' && !Number.isFinite(value)) return []
      return typeof value === type ? [[name, value]] : []
    }),
  )
}

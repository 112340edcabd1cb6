/** Fields of Events, by path: `event.involvedObject.kind`, or without `event.`. */

/** @returns what finds the field in an Event; undefined where it is not */
export function fieldOf(path: string): (event: object) => unknown {
  const names = path.replace(/^event\./, '').split('.')
  return (event) => {
    let at: unknown = event
    for (const name of names) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
      at = (at as Record<string, unknown>)[name]
    }
    return at ?? undefined
  }
}

/** `%event.message` and the like are replaced by what the Event has there, nothing else is. */
export function filledIn(text: string, event: object): string {
  return text.replace(/%((?:event\.)?[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)/g, (written, path: string) => {
    const value = fieldOf(path)(event)
    if (value === undefined) return path.startsWith('event.') ? '' : written
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

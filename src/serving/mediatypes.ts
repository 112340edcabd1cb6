/** `Accept` and `Content-Type`, as far as routes need them. */

/** Lower case, without parameters. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** JSON and everything written in it, such as `application/merge-patch+json`. */
export function isJson(header: string): boolean {
  const type = mediaType(header)
  return type === 'application/json' || type.endsWith('+json')
}

/** Weights do not matter to a server that has one form of each thing. */
export function accepts(header: string | undefined, produced: readonly string[]): boolean {
  if (header === undefined || header.trim() === '' || header === '*/*') return true
  return header.split(',').some((clause) => {
    const type = mediaType(clause)
    if (type === '*/*') return true
    const family = type.endsWith('/*') ? type.slice(0, -1) : undefined
    return produced.some((p) => p === '*/*' || p === type || (family !== undefined && p.startsWith(family)))
  })
}

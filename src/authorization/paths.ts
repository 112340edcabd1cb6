/**
 * Paths that anybody may call: what is needed to log in, to show a login page, and to probe the server.
 *
 * Matched on the decoded path as received, any method, any user. A trailing star is a prefix.
 */

export const PUBLIC_PATHS: readonly string[] = [
  '/oauth/*',
  '/kapis/config.kubesphere.io/*',
  '/kapis/version',
  '/kapis/metrics',
  '/healthz',
  '/livez',
  '/readyz',
]

/** A path that says one thing to a prefix match and another to whoever resolves it. */
const AMBIGUOUS = /\/\.{0,2}(?:\/|$)|\\|%/

/** @returns a function giving the pattern that covers a path */
export function pathMatcher(patterns: readonly string[]): (path: string) => string | undefined {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (path) => {
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
    if (exact.has(trimmed)) return trimmed
    const prefix = prefixes.find((candidate) => path.startsWith(candidate))
    if (prefix === undefined || AMBIGUOUS.test(trimmed)) return undefined
    return `${prefix}*`
  }
}

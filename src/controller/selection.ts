/**
 * Which controllers run, as a list of patterns: `*` all, `name` that one, `-name` not that one. The exact name counts
 * before `*`. Without `*` only those named run; an empty list is all.
 */
export function controllerSelection(patterns: readonly string[]): (name: string) => boolean {
  const named = new Set(patterns)
  const all = patterns.length === 0 || named.has('*')
  return (name) => (named.has(`-${name}`) ? false : all || named.has(name))
}

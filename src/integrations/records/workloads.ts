/**
 * The names of a workload's pods, as a regular expression: pods of Deployments, StatefulSets and DaemonSets.
 *
 * Kubernetes cuts long names so that 63 characters hold them, and letters of the part that it makes up are drawn
 * from few, so that they form no words.
 */
const HASH = '[bcdfghjklmnpqrstvwxz2456789]'
const RANDOM = '[a-z0-9]{5}'
/** Longest names that leave room for `-<hash of 10>-<5>`, and for `-<hash>` in part. */
const WHOLE = 46
const CUT = 57

export function workloadPattern(name: string): string {
  const word = escaped(name)
  const ordinal = `${word}-[0-9]+`
  const daemon = `${word}-${RANDOM}`
  if (name.length <= WHOLE) return `${word}-${HASH}{1,10}-${RANDOM}|${ordinal}|${daemon}`
  if (name.length <= CUT) return `${word}-${HASH}{${CUT - name.length}}${RANDOM}|${ordinal}|${daemon}`
  return `${escaped(name.slice(0, CUT + 1))}${RANDOM}|${ordinal}`
}

/** Also for what Lucene knows beyond the usual. */
function escaped(text: string): string {
  return text.replace(/[.?+*|{}[\]()"\\#@&<>~^$]/g, '\\$&')
}

/** A short, stable name for a pod template: equal templates have equal hashes, across restarts too. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** @param collisions how often the hash turned out to be another template's */
export function templateHash(template: unknown, collisions = 0): string {
  let hash = 0x811c9dc5
  const text = sortedJson(template) + (collisions > 0 ? String(collisions) : '')
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return [...String(hash)].map((digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

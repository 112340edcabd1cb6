/** Keys that a JSON text holds twice in one object: `JSON.parse` keeps the last of them and says nothing. */

interface Level {
  /** Undefined in an array. */
  keys: Set<string> | undefined
  /** Of the value under way: a key or an index. */
  at: string
  index: number
}

const LIMIT = 20

/** @param text valid JSON. @returns paths such as `spec.ports[0].port`, at most twenty */
export function duplicateKeys(text: string): string[] {
  const found = new Set<string>()
  const levels: Level[] = []
  let expectsKey = false
  for (let i = 0; i < text.length && found.size < LIMIT; i++) {
    const level = levels.at(-1)
    switch (text[i]) {
      case '{':
        levels.push({ keys: new Set(), at: '', index: 0 })
        expectsKey = true
        break
      case '[':
        levels.push({ keys: undefined, at: '[0]', index: 0 })
        expectsKey = false
        break
      case '}':
      case ']':
        levels.pop()
        expectsKey = false
        break
      case ',':
        expectsKey = level?.keys !== undefined
        if (level && !level.keys) level.at = `[${++level.index}]`
        break
      case '"': {
        const end = endOfString(text, i)
        if (expectsKey && level?.keys) {
          const key = JSON.parse(text.slice(i, end + 1)) as string
          level.at = key
          if (level.keys.has(key)) found.add(pathOf(levels))
          level.keys.add(key)
          expectsKey = false
        }
        i = end
      }
    }
  }
  return [...found]
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return text.length
}

function pathOf(levels: readonly Level[]): string {
  return levels
    .map(({ at }) => (at.startsWith('[') ? at : `.${at}`))
    .join('')
    .slice(1)
}

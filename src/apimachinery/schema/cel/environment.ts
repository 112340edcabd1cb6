/** The functions that rules of custom resources may call, beside those of the language. */
import { Environment } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'

const LIMITS = { maxAstNodes: 5_000, maxDepth: 100, maxListElements: 1_000, maxMapEntries: 1_000 }

/** Expressions of clients are matched in linear time; the library would use JavaScript's own. */
export const CALLS: Readonly<Record<string, string>> = { matches: 'matchesRe2' }

const patterns = new Map<string, RE2JS>()

function pattern(text: string): RE2JS {
  let compiled = patterns.get(text)
  if (!compiled) {
    if (patterns.size > 200) patterns.clear()
    compiled = RE2JS.compile(text)
    patterns.set(text, compiled)
  }
  return compiled
}

function found(text: string, expression: string, limit: number): string[] {
  const matcher = pattern(expression).matcher(text)
  const all: string[] = []
  while (all.length < limit && matcher.find()) all.push(matcher.group() ?? '')
  return all
}

type Comparable = bigint | number | string

function extreme(
  list: readonly Comparable[],
  name: string,
  isBetter: (a: Comparable, b: Comparable) => boolean,
) {
  if (list.length === 0) throw new Error(`${name} called on empty list`)
  return list.reduce((best, each) => (isBetter(each, best) ? each : best))
}

/** Variables are declared by whoever compiles. */
export function environment(): Environment {
  return new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
    .registerFunction('string.matchesRe2(string): bool', (text: string, expression: string) =>
      pattern(expression).matcher(text).find(),
    )
    .registerFunction('string.find(string): string', (text: string, expression: string) =>
      found(text, expression, 1).join(''),
    )
    .registerFunction('string.findAll(string): list<string>', (text: string, expression: string) =>
      found(text, expression, Infinity),
    )
    .registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
      if (index < 0n || index > BigInt(text.length)) throw new Error(`index out of range: ${index}`)
      return text.charAt(Number(index))
    })
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction('list.isSorted(): bool', (list: Comparable[]) =>
      list.every((each, i) => i === 0 || (list[i - 1] as Comparable) <= each),
    )
    .registerFunction('list.sum(): dyn', (list: Comparable[]) =>
      list.length === 0 ? 0n : list.reduce((sum, each) => ((sum as number) + (each as number)) as Comparable),
    )
    .registerFunction('list.min(): dyn', (list: Comparable[]) => extreme(list, 'min', (a, b) => a < b))
    .registerFunction('list.max(): dyn', (list: Comparable[]) => extreme(list, 'max', (a, b) => a > b))
    .registerFunction('list.indexOf(dyn): int', (list: unknown[], value: unknown) =>
      BigInt(list.indexOf(value)),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], value: unknown) =>
      BigInt(list.lastIndexOf(value)),
    )
}

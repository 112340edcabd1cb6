/** Tests labels against a selector, `{a="b",c=~"d|e"}`. A label that is missing is empty. */
import { RE2JS } from 're2js'
import { PromqlError } from './errors.js'
import { childrenOf, parsed } from './tree.js'
import { unquote } from './unquote.js'

export type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

/** @throws PromqlError */
export function labelTest(selector: string): LabelTest {
  const [node] = childrenOf(parsed(selector))
  const [matchers, ...rest] = node?.name === 'VectorSelector' ? childrenOf(node) : []
  if (matchers?.name !== 'LabelMatchers' || rest.length > 0)
    throw PromqlError.at(selector, 0, 'not a selector of labels')
  const tests = childrenOf(matchers).map((matcher) => {
    const parts = childrenOf(matcher).map((part) => selector.slice(part.from, part.to))
    const [name = '', operator = '', value = ''] = parts
    const label = /^["'`]/.test(name) ? unquote(name) : name
    const wanted = unquote(value)
    if (label === undefined || wanted === undefined)
      throw PromqlError.at(selector, matcher.from, 'a string cannot be read')
    return {
      label,
      accepts: acceptor(operator, wanted, () =>
        PromqlError.at(selector, matcher.from, 'the expression cannot be compiled'),
      ),
    }
  })
  return (labels) =>
    tests.every(({ label, accepts }) => accepts(Object.hasOwn(labels, label) ? (labels[label] ?? '') : ''))
}

function acceptor(operator: string, wanted: string, failure: () => PromqlError): (value: string) => boolean {
  if (operator === '=') return (value) => value === wanted
  if (operator === '!=') return (value) => value !== wanted
  let pattern: RE2JS
  try {
    pattern = RE2JS.compile(`^(?:${wanted})$`, RE2JS.DOTALL)
  } catch {
    throw failure()
  }
  const isWanted = operator === '=~'
  return (value) => pattern.matches(value) === isWanted
}

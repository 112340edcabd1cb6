/** Selectors of alerts: those of Kubernetes, and the operator `Match` that tests a value with an expression. */
import { badRequest } from '../../apimachinery/errors/index.js'
import { selectorFromLabelSelector } from '../../apimachinery/labels/index.js'
import { type AlertSelector } from './types.js'

export type AlertTest = (labels: Readonly<Record<string, string>> | undefined) => boolean

/** Longer expressions than anybody writes by hand could keep the process busy. */
const LONGEST_EXPRESSION = 512

/**
 * An absent selector matches everything. Alerts without labels match nothing but that.
 * @throws StatusError 400 for a selector that is not legal
 */
export function alertTest(selector: AlertSelector | null | undefined): AlertTest {
  if (selector === undefined || selector === null) return () => true
  const expressions = selector.matchExpressions ?? []
  const patterns = expressions
    .filter(({ operator }) => operator === 'Match')
    .map(({ key, regexValue = '' }) => ({ key, pattern: expressionOf(regexValue) }))
  const plain = selectorFromLabelSelector({
    ...(selector.matchLabels && { matchLabels: selector.matchLabels }),
    matchExpressions: expressions.filter(({ operator }) => operator !== 'Match'),
  })
  return (labels) =>
    labels !== undefined &&
    plain.matches(labels) &&
    patterns.every(({ key, pattern }) => pattern.test(Object.hasOwn(labels, key) ? (labels[key] ?? '') : ''))
}

/** @throws StatusError 400; also for what can take for ever on a hostile value */
export function expressionOf(text: string): RegExp {
  if (text.length > LONGEST_EXPRESSION) throw badRequest('the expression is too long')
  if (/\((?:[^()\\]|\\.)*[+*}](?:[^()\\]|\\.)*\)[+*{]/.test(text) || /\\[1-9]|\(\?<?[=!]/.test(text))
    throw badRequest(`the expression ${text} repeats what repeats, or looks around: it could take for ever`)
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    throw badRequest(`error parsing regexp: ${(error as Error).message}`, { cause: error })
  }
}

/** Selectors of alerts: those of Kubernetes, and the operator `Match` that tests a value with an expression. */
import { RE2JS } from 're2js'
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

/** An RE2 expression, searched anywhere in a text: in linear time, whatever a tenant writes. */
export interface Expression {
  test(text: string): boolean
}

/** @throws StatusError 400 */
export function expressionOf(text: string): Expression {
  if (text.length > LONGEST_EXPRESSION) throw badRequest('the expression is too long')
  try {
    const pattern = RE2JS.compile(text)
    return { test: (value) => pattern.matcher(value).find() }
  } catch (error) {
    throw badRequest(`error parsing regexp: ${(error as Error).message}`, { cause: error })
  }
}

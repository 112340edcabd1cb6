/** Expressions as trees, of the grammar that Prometheus's own editor uses. */
import { type SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { PromqlError, syntaxError } from './errors.js'

/** Deeper ones are of no use to anybody. */
export const DEPTH = 200

/** @throws PromqlError with the position of the mistake */
export function parsed(expression: string): SyntaxNode {
  if (expression.trim() === '')
    throw new PromqlError('unknown position: parse error: no expression found in input')
  demandShallow(expression)
  const tree = parser.parse(expression)
  const error = firstError(tree.topNode)
  if (error) throw syntaxError(expression, error.from)
  return tree.topNode
}

/** Comments are left out. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (child.name !== 'LineComment') children.push(child)
  return children
}

/** Before the parser has to follow: its way back from mistakes is long in deep nests. */
function demandShallow(expression: string): void {
  let depth = 0
  for (let at = 0; at < expression.length; at++) {
    if (expression[at] === '(' && ++depth > DEPTH)
      throw PromqlError.at(expression, at, 'the expression is nested too deeply')
    if (expression[at] === ')') depth -= 1
  }
}

function firstError(top: SyntaxNode): { from: number } | undefined {
  const cursor = top.cursor()
  do if (cursor.type.isError) return { from: cursor.from }
  while (cursor.next())
  return undefined
}

/** Whether an expression can make up a label of its result. */
import { type SyntaxNode } from '@lezer/common'
import { childrenOf, parsed } from './tree.js'
import { unquote } from './unquote.js'

/**
 * True when a string that is no value of a matcher names the label: `label_replace`, `label_join` and
 * `count_values` write the label that a string of theirs names.
 *
 * @throws PromqlError
 */
export function mayRename(expression: string, label: string): boolean {
  const names = (node: SyntaxNode): boolean => {
    if (node.name === 'LabelMatchers') return false
    if (node.name === 'StringLiteral') return unquote(expression.slice(node.from, node.to)) === label
    return childrenOf(node).some(names)
  }
  return names(parsed(expression))
}

/** The object form of selectors: `matchLabels` and `matchExpressions`, as workloads and policies hold it. */
import { badRequest } from '../errors/index.js'
import { type Operator, type Requirement, requirementFault, Selector } from './selector.js'

export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>> | null
  matchExpressions?: readonly LabelSelectorRequirement[] | null
}

export interface LabelSelectorRequirement {
  key: string
  operator: string
  values?: readonly string[] | null
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/**
 * An absent selector matches nothing, an empty one everything.
 *
 * @throws StatusError 400 for an unknown operator, a bad key or value, or values where none may be
 */
export function selectorFromLabelSelector(selector: LabelSelector | null | undefined): Selector {
  if (!selector) return new Selector([], true)
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS[operator]
    if (known === undefined) throw badRequest(`"${operator}" is not a valid pod selector operator`)
    requirements.push({ key, operator: known, values: [...new Set(values ?? [])].sort() })
  }
  for (const requirement of requirements) {
    const fault = requirementFault(requirement)
    if (fault !== undefined) throw badRequest(fault)
  }
  return new Selector(requirements)
}

/** `app=web,tier in (a,b)`: the text form, which `parseSelector` reads back. */
export function formatSelector(selector: Selector | LabelSelector): string {
  return (selector instanceof Selector ? selector : selectorFromLabelSelector(selector)).toString()
}

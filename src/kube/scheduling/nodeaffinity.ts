/** Which nodes a pod may be on, by what it says of their labels and names. */
import { type Node } from './types.js'
import { type LabelSelectorRequirement, type NodeSelectorTerm, type PodSpec } from '../builtin/types.js'

/** The plain selector and the required affinity. */
export function nodeMatches(spec: Readonly<PodSpec>, node: Readonly<Node>): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (!required) return true
  return (required.nodeSelectorTerms ?? []).some((term) => termMatches(term, node))
}

/** A term without requirements matches nothing. */
export function termMatches(
  { matchExpressions = [], matchFields = [] }: Readonly<NodeSelectorTerm>,
  node: Readonly<Node>,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    matchExpressions.every((requirement) => holds(requirement, labels)) &&
    matchFields.every((requirement) => holds(requirement, { 'metadata.name': node.metadata.name ?? '' }))
  )
}

function holds(
  { key, operator, values = [] }: LabelSelectorRequirement,
  labels: Record<string, string>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return Number(value) > Number(values[0])
    case 'Lt':
      return Number(value) < Number(values[0])
    default:
      return false
  }
}

/** The node that a pod of a DaemonSet is made for; undefined for other pods. */
export function targetNode({ affinity }: Readonly<PodSpec>): string | undefined {
  const terms =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (field?.values?.length === 1) return field.values[0]
  }
  return undefined
}

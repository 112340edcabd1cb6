/** Quotas in one form, whether of a workspace or of a namespace, and which objects they are about. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type WorkspaceQuotaObject } from '../types.js'
import { type Amounts, amountsFrom, type WrittenAmounts } from './amounts.js'
import { type Evaluator } from './evaluators.js'

interface ScopeRequirement {
  scopeName: string
  operator?: string
  values?: readonly string[]
}

export interface Quota {
  name: string
  hard: Amounts
  /** Undefined until it has been computed for the first time. */
  used: Amounts | undefined
  scopes: readonly ScopeRequirement[]
}

/** ResourceQuota of the core group. */
export interface NamespaceQuotaObject extends KubeObject {
  spec?: { hard?: WrittenAmounts; scopes?: string[]; scopeSelector?: unknown }
  status?: { hard?: WrittenAmounts; used?: WrittenAmounts }
}

/** @throws InvalidQuantity */
export function quotaOfWorkspace({ metadata, spec, status }: Readonly<WorkspaceQuotaObject>): Quota {
  return {
    name: metadata.name ?? '',
    hard: amountsFrom(spec?.quota?.hard),
    used: status?.total?.used && amountsFrom(status.total.used),
    scopes: scopesOf(spec?.quota),
  }
}

/** @throws InvalidQuantity */
export function quotaOfNamespace({ metadata, spec, status }: Readonly<NamespaceQuotaObject>): Quota {
  return {
    name: metadata.name ?? '',
    hard: amountsFrom(spec?.hard),
    used: status?.used && amountsFrom(status.used),
    scopes: scopesOf(spec),
  }
}

function scopesOf(spec: { scopes?: string[]; scopeSelector?: unknown } = {}): ScopeRequirement[] {
  const { matchExpressions } = (spec.scopeSelector ?? {}) as { matchExpressions?: ScopeRequirement[] }
  return [...(spec.scopes ?? []).map((scopeName) => ({ scopeName })), ...(matchExpressions ?? [])]
}

/** Whether the object counts towards the quota. */
export function countsTowards(
  { hard, scopes }: Pick<Quota, 'hard' | 'scopes'>,
  evaluator: Evaluator,
  object: Readonly<KubeObject>,
): boolean {
  return (
    [...hard.keys()].some((name) => evaluator.covers(name)) &&
    scopes.every(({ scopeName, operator, values }) =>
      evaluator.isInScope(object, scopeName, operator, values),
    )
  )
}

/**
 * Whether the quota of a workspace is about the namespace.
 *
 * @param selector an empty one selects every namespace, which only the controller may want
 */
export function selectsNamespace(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value)
}

/** How the rules of a group are doing, as their ruler tells it. */
import { type RulerAlert, type RulerGroup, type RulerRule } from '../integrations/prometheus/rules.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { filled } from './filled.js'
import { RULE_ID } from './names.js'
import { type Texts } from './types.js'

export interface GroupRule {
  disable?: boolean
  labels?: Texts | null
}

export interface RuleGroupObject extends KubeObject {
  spec?: { rules?: GroupRule[] | null }
}

export interface RuleStatus {
  /** Of global rules: the expression as it is evaluated. */
  expr?: string
  state?: string
  health?: string
  lastError?: string
  /** Seconds. */
  evaluationTime?: number
  lastEvaluation?: string
  activeAt?: string
  alerts?: RulerAlert[]
}

export interface GroupStatus {
  evaluationTime?: number
  lastEvaluation?: string
  /** One for each rule of the group, in its order. */
  rulesStatus: RuleStatus[]
  rulesStats: { inactive: number; pending: number; firing: number; disabled: number }
}

/** @param loaded the groups of the same name that the ruler has loaded */
export function groupStatus(
  { spec }: Readonly<RuleGroupObject>,
  loaded: readonly RulerGroup[],
  withExpressions: boolean,
): GroupStatus {
  const byId = new Map<string, RulerRule>()
  for (const group of loaded)
    for (const rule of group.rules ?? []) {
      const id = rule.labels?.[RULE_ID] ?? ''
      if (id !== '' && !byId.has(id)) byId.set(id, rule)
    }
  const rulesStatus = (spec?.rules ?? []).map((rule) =>
    ruleStatus(rule, byId.get(rule.labels?.[RULE_ID] ?? ''), withExpressions),
  )
  const count = (wanted: string): number => rulesStatus.filter(({ state }) => state === wanted).length
  const [first] = loaded
  return {
    ...filled({ evaluationTime: first?.evaluationTime ?? 0, lastEvaluation: first?.lastEvaluation ?? '' }),
    rulesStatus,
    rulesStats: {
      inactive: count('inactive'),
      pending: count('pending'),
      firing: count('firing'),
      disabled: count('disabled'),
    },
  }
}

function ruleStatus(rule: GroupRule, loaded: RulerRule | undefined, withExpression: boolean): RuleStatus {
  if (rule.disable) return { state: 'disabled', health: 'unknown' }
  if (!loaded) return { state: 'inactive', health: 'unknown' }
  const {
    query = '',
    state = '',
    health = '',
    lastError = '',
    evaluationTime = 0,
    lastEvaluation = '',
  } = loaded
  const alerts = loaded.alerts ?? []
  const [earliest = ''] = alerts.flatMap(({ activeAt }) => activeAt ?? []).sort()
  return filled({
    expr: withExpression ? query : '',
    state,
    health,
    lastError,
    evaluationTime,
    lastEvaluation,
    activeAt: earliest,
    alerts: alerts.map(alertOf),
  })
}

export function alertOf({
  activeAt = '',
  annotations = {},
  labels = {},
  state = '',
  value = '',
}: RulerAlert): RulerAlert {
  return filled({ activeAt, annotations, labels, state, value })
}

/** Rules and alerts: as PrometheusRule objects hold them, and as clients read them. */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type LabelSelector } from '../apimachinery/labels/index.js'

export type Texts = Record<string, string>

/** A rule of a PrometheusRule; one without `alert` records. */
export interface StoredRule {
  alert?: string
  /** A number where somebody wrote `expr: 1`. */
  expr: string | number
  for?: string
  labels?: Texts
  annotations?: Texts
}

export interface StoredGroup {
  name: string
  interval?: string
  partial_response_strategy?: string
  rules?: StoredRule[] | null
}

export interface PrometheusRuleObject extends KubeObject {
  spec?: { groups?: StoredGroup[] | null } | null
}

/** What Prometheus and ThanosRuler objects say about the rules they load. */
export interface RulerObject extends KubeObject {
  spec?: {
    /** Absent: only those of its own namespace. */
    ruleNamespaceSelector?: LabelSelector | null
    /** Absent: none. */
    ruleSelector?: LabelSelector | null
    /** Of Prometheus. */
    externalLabels?: Texts
    /** Of ThanosRuler. */
    labels?: Texts
  }
}

/** A rule as it is stored, and where. */
export interface PlacedRule {
  id: string
  namespace: string
  /** Name of the PrometheusRule. */
  resource: string
  group: string
  rule: StoredRule
}

/** Everything that is empty is left out. */
export interface AlertingRule {
  id?: string
  name?: string
  query?: string
  duration?: string
  labels?: Texts
  annotations?: Texts
  /** `firing`, `pending`, `inactive` */
  state?: string
  /** `ok`, `err`, `unknown` */
  health?: string
  lastError?: string
  /** Seconds. */
  evaluationTime?: number
  lastEvaluation?: string
  alerts?: Alert[]
}

export interface Alert {
  activeAt?: string
  annotations?: Texts
  labels?: Texts
  state?: string
  value?: string
  ruleId?: string
  ruleName?: string
}

/** What a client posts. */
export interface PostedRule {
  name: string
  query: string
  duration: string
  labels: Texts
  annotations: Texts
}

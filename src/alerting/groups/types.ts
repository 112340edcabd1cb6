/** Groups of rules as people write them. */
import { type GroupRule, type RuleGroupObject } from '../groupstatus.js'
import { type Texts } from '../types.js'

/** `cpu: { usage: 0.5 }`: a part and one of its measures. */
export type Thresholds = Readonly<Record<string, Readonly<Record<string, number>> | null | undefined>>

export interface ScopedNames {
  cluster: string
  namespace?: string
  names?: string[] | null
}

export interface Builder {
  /** Of workloads. */
  kind?: string
  names?: (string | ScopedNames)[] | null
  comparator?: string
  metricThreshold?: Thresholds | null
}

export interface Selector {
  inValues?: string[] | null
  matcher?: { type?: string; value?: string } | null
}

export interface SpecRule extends GroupRule {
  alert?: string
  expr?: string | number
  for?: string
  severity?: string
  annotations?: Texts | null
  exprBuilder?: { workload?: Builder | null; node?: Builder | null } | null
  /** These two: of global rules. */
  clusterSelector?: Selector | null
  namespaceSelector?: Selector | null
}

export interface GroupObject extends RuleGroupObject {
  spec?: {
    interval?: string
    partial_response_strategy?: string
    rules?: SpecRule[] | null
  }
}

/** The rules API, as Prometheus and the Thanos ruler speak it: what is loaded, and how it is doing. */
import { type CallOptions } from './types.js'

/** Empty texts and lists may be missing. */
export interface RulerAlert {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  state?: string
  activeAt?: string
  /** As the ruler writes it, `1e+00`. */
  value?: string
}

export interface RulerRule {
  name?: string
  query?: string
  /** Seconds. */
  duration?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  state?: string
  health?: string
  lastError?: string
  /** Seconds. */
  evaluationTime?: number
  lastEvaluation?: string
  alerts?: RulerAlert[] | null
  type?: string
}

export interface RulerGroup {
  name?: string
  file?: string
  evaluationTime?: number
  lastEvaluation?: string
  rules?: RulerRule[] | null
}

export interface Ruler {
  /**
   * Alerting rules only.
   *
   * @param match selectors of rules by their labels; only the Thanos ruler knows them
   * @throws PrometheusError, or the signal's reason
   */
  alertingRules(options: CallOptions & { match?: string }): Promise<RulerGroup[]>
}

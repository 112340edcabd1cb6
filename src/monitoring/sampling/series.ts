/** What one look at the cluster finds: for each level, each resource with its labels and its numbers. */

/** Levels that can be told from objects and from the metrics API alone. */
export const LEVELS = ['cluster', 'node', 'workspace', 'namespace', 'workload', 'pod', 'container'] as const
export type SampledLevel = (typeof LEVELS)[number]

export interface SampledSeries {
  /** As a Prometheus would have them. Those that are empty are left out of answers. */
  readonly labels: Readonly<Record<string, string>>
  /** By name of the metric. What could not be measured is not there. */
  readonly values: Readonly<Record<string, number>>
}

export interface Snapshot {
  /** Seconds since 1970. */
  readonly time: number
  readonly levels: Readonly<Record<SampledLevel, readonly SampledSeries[]>>
}

export const isSampled = (level: string): level is SampledLevel =>
  (LEVELS as readonly string[]).includes(level)

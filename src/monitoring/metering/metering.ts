/** Answers questions about consumption: asked hourly, summed up, priced, and as a file when that is wanted. */
import { type Metrics } from '../answer.js'
import { METER } from '../definitions.js'
import { type NamedMetrics } from '../namedmetrics.js'
import { type Sorting, type Times } from '../parameters.js'
import { type Selection } from '../selection.js'
import { charged, type PriceInfo } from './charge.js'
import { hourly } from './sampling.js'

const TIMEOUT_MS = 20_000

export interface MeteringQuestion {
  /** Without the prefix `meter_`. */
  level: string
  selections: readonly Selection[]
  filter: string
  times: Times
  sorting?: Sorting | undefined
}

export class Metering {
  constructor(
    private readonly metrics: NamedMetrics,
    private readonly prices: PriceInfo,
  ) {}

  /** @throws StatusError 400 for steps that are no hours */
  ask({ level, ...question }: MeteringQuestion, signal: AbortSignal): Promise<Metrics> {
    const { times, hours } = hourly(question.times)
    const measured = (metric: Parameters<typeof charged>[0]) => charged(metric, hours, this.prices)
    return this.metrics.ask(METER + level, { ...question, times, measured, timeoutMs: TIMEOUT_MS }, signal)
  }
}

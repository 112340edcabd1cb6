/** Pods and objects of a place, counted, and the values that named metrics make of them. */
import { type PodFacts } from './facts.js'
import { NOTHING, plus, type Usage } from './usage.js'

export type Values = Record<string, number>

/** Pods as the metrics of every level count them. */
export class PodCounts {
  scheduled = 0
  active = 0
  running = 0
  succeeded = 0
  abnormal = 0
  unfinished = 0
  usage: Usage = NOTHING

  add({ phase, node, isReady, isBeingCreated }: PodFacts, usage: Usage | undefined): void {
    const [isRunning, isDone] = [phase === 'Running', phase === 'Succeeded']
    if (node !== '') this.scheduled++
    if (!isDone && phase !== 'Failed') this.active++
    if (isRunning) this.running++
    if (isDone) this.succeeded++
    else this.unfinished++
    if (node !== '' && !isDone && !(isRunning && isReady) && !isBeingCreated) this.abnormal++
    if (usage) this.usage = plus(this.usage, usage)
  }
}

export interface Place {
  pods: PodCounts
  counts: Record<string, number>
}

/** Of a node or of all of them. The working set is taken for what is in use. */
export function machineValues(level: string, total: Usage, used: Usage | undefined): Values {
  return {
    [`${level}_cpu_total`]: total.cpu,
    [`${level}_memory_total`]: total.memory,
    ...(used && {
      [`${level}_cpu_usage`]: rounded(used.cpu),
      [`${level}_cpu_utilisation`]: used.cpu / total.cpu,
      [`${level}_memory_usage_wo_cache`]: used.memory,
      [`${level}_memory_available`]: Math.max(0, total.memory - used.memory),
      [`${level}_memory_utilisation`]: used.memory / total.memory,
    }),
  }
}

export function placeValues(level: string, { pods, counts }: Place, isMeasured: boolean): Values {
  return {
    ...(isMeasured && usageValues(level, pods.usage)),
    [`${level}_pod_count`]: pods.active,
    [`${level}_pod_running_count`]: pods.running,
    [`${level}_pod_succeeded_count`]: pods.succeeded,
    [`${level}_pod_abnormal_count`]: pods.abnormal,
    ...(pods.unfinished > 0 && { [`${level}_pod_abnormal_ratio`]: pods.abnormal / pods.unfinished }),
    ...Object.fromEntries(Object.entries(counts).map(([key, count]) => [`${level}_${key}_count`, count])),
  }
}

export function usageValues(level: string, { cpu, memory }: Usage): Values {
  return { [`${level}_cpu_usage`]: rounded(cpu), [`${level}_memory_usage_wo_cache`]: memory }
}

/** To the thousandth, as the queries of these metrics do. */
export const rounded = (cores: number): number => Math.round(cores * 1_000) / 1_000

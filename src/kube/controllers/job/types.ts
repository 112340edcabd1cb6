/** Jobs as the controllers see them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type JobSpec } from '../../builtin/batch/job.js'
import { conditionOf, type TimedCondition } from '../pods/state.js'

export interface Job extends KubeObject {
  spec: JobSpec
  status: {
    conditions?: TimedCondition[]
    startTime?: string
    completionTime?: string
    active?: number
    succeeded?: number
    failed?: number
  }
}

/** @returns undefined while it goes on */
export function endOf({ status }: Readonly<Job>): 'Complete' | 'Failed' | undefined {
  if (conditionOf(status.conditions, 'Complete')?.status === 'True') return 'Complete'
  return conditionOf(status.conditions, 'Failed')?.status === 'True' ? 'Failed' : undefined
}

export function endedAt({ status }: Readonly<Job>): number {
  const condition = conditionOf(status.conditions, 'Complete') ?? conditionOf(status.conditions, 'Failed')
  return Date.parse(status.completionTime ?? condition?.lastTransitionTime ?? '') || 0
}

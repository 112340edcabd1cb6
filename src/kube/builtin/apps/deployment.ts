/** apps/v1 Deployment. */
import {
  type Faults,
  forbidden,
  goSelector,
  immutable,
  invalidValue,
  isEmptySelector,
  labelSelector,
  nonNegative,
  oneOf,
  required,
} from '../faults.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { type KindRules } from '../rules.js'
import { SELECTED_SCALE } from '../scale.js'
import { type IntOrString, type Workload } from '../types.js'
import { atMostAll, countOrPercent, isNone, replicatedTemplateFaults } from '../workloads.js'

interface Deployment extends Workload {
  spec: Workload['spec'] & {
    strategy: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString; maxSurge?: IntOrString } }
    progressDeadlineSeconds?: number
  }
}

const view = (object: object) => object as Deployment

export const deployment: KindRules = {
  hasGeneration: true,
  scale: SELECTED_SCALE,
  defaults(object) {
    const { spec } = view(object)
    defaultPodTemplate(spec.template)
    spec.replicas ??= 1
    spec.strategy.type ??= 'RollingUpdate'
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {}
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
      spec.strategy.rollingUpdate.maxSurge ??= '25%'
    }
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
  },
  prepareForUpdate(object, previous, { subresource }) {
    // The one kind whose status is written without its labels.
    if (subresource !== 'status') return
    if (previous.metadata.labels) object.metadata.labels = { ...previous.metadata.labels }
    else delete object.metadata.labels
  },
  validate: (object) => specFaults(view(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [view(object).spec, view(previous).spec]
    return immutable('spec.selector', after.selector, before.selector, goSelector(after.selector))
  },
}

function specFaults(spec: Deployment['spec']): Faults {
  const faults = nonNegative('spec.replicas', spec.replicas)
  if (!spec.selector) faults.push(required('spec.selector'))
  else {
    faults.push(...labelSelector('spec.selector', spec.selector))
    if (isEmptySelector(spec.selector)) {
      const why = 'empty selector is invalid for deployment'
      faults.push(invalidValue('spec.selector', goSelector(spec.selector), why))
    }
  }
  faults.push(
    ...replicatedTemplateFaults('spec.template', spec.template, spec.selector),
    ...strategyFaults(spec.strategy),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds),
  )
  const deadline = spec.progressDeadlineSeconds
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    const why = 'must be greater than minReadySeconds'
    faults.push(invalidValue('spec.progressDeadlineSeconds', deadline, why))
  }
  return faults
}

function strategyFaults({ type, rollingUpdate }: Deployment['spec']['strategy']): Faults {
  if (type === 'Recreate') {
    return rollingUpdate
      ? [forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")]
      : []
  }
  if (type !== 'RollingUpdate') return oneOf('spec.strategy', type, ['Recreate', 'RollingUpdate'])
  if (!rollingUpdate)
    return [required('spec.strategy.rollingUpdate', 'this should be defaulted and never be nil')]
  const field = 'spec.strategy.rollingUpdate'
  const { maxUnavailable, maxSurge } = rollingUpdate
  return [
    ...countOrPercent(`${field}.maxUnavailable`, maxUnavailable),
    ...countOrPercent(`${field}.maxSurge`, maxSurge),
    ...(isNone(maxUnavailable) && isNone(maxSurge)
      ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...atMostAll(`${field}.maxUnavailable`, maxUnavailable),
  ]
}

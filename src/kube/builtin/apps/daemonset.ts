/** apps/v1 DaemonSet. */
import {
  type Faults,
  goSelector,
  immutable,
  invalidValue,
  isEmptySelector,
  labelSelector,
  nonNegative,
  oneOf,
  same,
} from '../faults.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { podTemplateFaults } from '../pods/validation.js'
import { type KindRules } from '../rules.js'
import { type IntOrString, type Workload } from '../types.js'
import { atMostAll, countOrPercent, isNone, lastingFaults, templateLabelFaults } from '../workloads.js'

interface DaemonSet extends Workload {
  spec: Workload['spec'] & {
    updateStrategy: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString } }
  }
}

const view = (object: object) => object as DaemonSet

/** Counts changes of the template; from before there were revisions. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

export const daemonSet: KindRules = {
  hasGeneration: true,
  defaults(object) {
    const { spec } = view(object)
    defaultPodTemplate(spec.template)
    spec.updateStrategy.type ??= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    }
    spec.revisionHistoryLimit ??= 10
  },
  prepareForCreate({ metadata }) {
    metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: '1' }
  },
  prepareForUpdate({ metadata, spec }, previous) {
    const before = previous.metadata.annotations?.[TEMPLATE_GENERATION] ?? '0'
    const changed = !same(view({ spec }).spec.template, view(previous).spec.template)
    const count = changed ? String(Number(before) + 1) : before
    metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: count }
  },
  validate: (object) => specFaults(view(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [view(object).spec, view(previous).spec]
    return immutable('spec.selector', after.selector, before.selector, goSelector(after.selector))
  },
}

function specFaults(spec: DaemonSet['spec']): Faults {
  const { selector, template } = spec
  const faults = [
    ...labelSelector('spec.selector', selector),
    ...templateLabelFaults('spec.template', template, selector),
  ]
  if (isEmptySelector(selector)) {
    const why = 'empty selector is invalid for daemonset'
    faults.push(invalidValue('spec.selector', goSelector(selector), why))
  }
  return [
    ...faults,
    ...podTemplateFaults('spec.template', template),
    ...lastingFaults('spec.template', template, 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...updateFaults(spec.updateStrategy),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ]
}

function updateFaults({ type, rollingUpdate }: DaemonSet['spec']['updateStrategy']): Faults {
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return oneOf('spec.updateStrategy', type, ['RollingUpdate', 'OnDelete'])
  const field = 'spec.updateStrategy.rollingUpdate.maxUnavailable'
  const value = rollingUpdate?.maxUnavailable
  return [
    ...countOrPercent(field, value),
    ...(isNone(value) ? [invalidValue(field, value, 'cannot be 0')] : []),
    ...atMostAll(field, value),
  ]
}

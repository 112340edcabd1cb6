/** apps/v1 ReplicaSet and v1 ReplicationController, its elder with a plain map for a selector. */
import {
  type Faults,
  goMap,
  goSelector,
  immutable,
  invalidValue,
  isEmptySelector,
  labelSelector,
  nonNegative,
  required,
  selects,
} from '../faults.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { type KindRules } from '../rules.js'
import { SELECTED_SCALE } from '../scale.js'
import { type PodTemplateSpec, type StringMap, type Workload } from '../types.js'
import { podTemplateFaults } from '../pods/validation.js'
import { lastingFaults, replicatedTemplateFaults } from '../workloads.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'

const view = (object: object) => object as Workload

export const replicaSet: KindRules = {
  hasGeneration: true,
  scale: SELECTED_SCALE,
  defaults(object) {
    const { spec } = view(object)
    defaultPodTemplate(spec.template)
    spec.replicas ??= 1
  },
  validate: (object) => replicaSetFaults(view(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [view(object).spec, view(previous).spec]
    return immutable('spec.selector', after.selector, before.selector, goSelector(after.selector))
  },
}

/** An object without labels takes those of its template. */
export function adoptLabels({ metadata }: KubeObject, template: PodTemplateSpec): void {
  const { labels } = template.metadata
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
}

function replicaSetFaults(spec: Workload['spec']): Faults {
  const faults = [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
  ]
  if (!spec.selector) faults.push(required('spec.selector'))
  else {
    faults.push(...labelSelector('spec.selector', spec.selector))
    if (isEmptySelector(spec.selector)) {
      const why = 'empty selector is invalid for deployment'
      faults.push(invalidValue('spec.selector', goSelector(spec.selector), why))
    }
  }
  return [...faults, ...replicatedTemplateFaults('spec.template', spec.template, spec.selector)]
}

interface ReplicationController extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; selector?: StringMap; template?: PodTemplateSpec }
}

const controller = (object: object) => object as ReplicationController

export const replicationController: KindRules = {
  hasGeneration: true,
  scale: SELECTED_SCALE,
  defaults(object) {
    const { spec } = controller(object)
    if (spec.template) {
      defaultPodTemplate(spec.template)
      const { labels } = spec.template.metadata
      if (labels && Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
      adoptLabels(object, spec.template)
    }
    spec.replicas ??= 1
  },
  validate(object) {
    const { spec } = controller(object)
    const faults = nonNegative('spec.minReadySeconds', spec.minReadySeconds)
    const selector = spec.selector ?? {}
    if (Object.keys(selector).length === 0) faults.push(required('spec.selector'))
    faults.push(...nonNegative('spec.replicas', spec.replicas))
    if (!spec.template) return [...faults, required('spec.template')]
    const { labels } = spec.template.metadata
    // A plain map can hold no fault: what is no label picks nothing.
    if (!selects({ matchLabels: selector }, labels)) {
      const why = '`selector` does not match template `labels`'
      faults.push(invalidValue('spec.template.metadata.labels', goMap(labels), why))
    }
    return [
      ...faults,
      ...podTemplateFaults('spec.template', spec.template),
      ...lastingFaults('spec.template', spec.template, 'ReplicationController'),
    ]
  },
}

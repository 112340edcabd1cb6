/** apps/v1 StatefulSet. */
import {
  annotations,
  type Faults,
  forbidden,
  goSelector,
  invalidValue,
  isEmptySelector,
  labels,
  labelSelector,
  nonNegative,
  required,
  same,
} from '../faults.js'
import { defaultClaim } from '../core/persistentvolumeclaim.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { type KindRules } from '../rules.js'
import { SELECTED_SCALE } from '../scale.js'
import { type PersistentVolumeClaim, type Workload } from '../types.js'
import { lastingFaults, templateLabelFaults, unreadableSelector } from '../workloads.js'

interface StatefulSet extends Workload {
  spec: Workload['spec'] & {
    serviceName: string
    podManagementPolicy?: string
    updateStrategy: { type?: string; rollingUpdate?: { partition?: number } }
    volumeClaimTemplates?: PersistentVolumeClaim[]
  }
}

const view = (object: object) => object as StatefulSet

export const statefulSet: KindRules = {
  hasGeneration: true,
  scale: SELECTED_SCALE,
  defaults(object) {
    const { spec } = view(object)
    defaultPodTemplate(spec.template)
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.kind = 'PersistentVolumeClaim'
      claim.apiVersion = 'v1'
      defaultClaim(claim)
    }
    spec.podManagementPolicy ??= 'OrderedReady'
    spec.updateStrategy.type ??= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.partition ??= 0
    }
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
  },
  validate: (object) => specFaults(view(object).spec),
  validateUpdate(object, previous) {
    const faults: Faults = []
    const [after, before] = [structuredClone(view(object).spec), view(previous).spec]
    for (const field of ['replicas', 'template', 'updateStrategy'] as const) {
      Object.assign(after, { [field]: before[field] })
    }
    if (!same({ ...after, minReadySeconds: undefined }, { ...before, minReadySeconds: undefined })) {
      const why =
        "updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden"
      faults.push(forbidden('spec', why))
    }
    return faults
  },
}

function specFaults(spec: StatefulSet['spec']): Faults {
  const faults: Faults = []
  const policy = spec.podManagementPolicy
  if (policy === undefined) faults.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    const why = `must be '${'OrderedReady'}' or '${'Parallel'}'`
    faults.push(invalidValue('spec.podManagementPolicy', policy, why))
  }
  faults.push(...updateFaults(spec.updateStrategy), ...nonNegative('spec.replicas', spec.replicas))
  if (!spec.selector) faults.push(required('spec.selector'))
  else {
    faults.push(...labelSelector('spec.selector', spec.selector))
    if (isEmptySelector(spec.selector)) {
      const why = 'empty selector is invalid for statefulset'
      faults.push(invalidValue('spec.selector', goSelector(spec.selector), why))
    }
  }
  // The pods themselves are checked when the controller creates them.
  return [
    ...faults,
    ...unreadableSelector('spec.selector', spec.selector, ''),
    ...templateLabelFaults('spec.template', spec.template, spec.selector),
    ...labels('spec.template.labels', spec.template.metadata.labels),
    ...annotations('spec.template.annotations', spec.template.metadata.annotations),
    ...lastingFaults('spec.template', spec.template, 'StatefulSet'),
  ]
}

function updateFaults({ type, rollingUpdate }: StatefulSet['spec']['updateStrategy']): Faults {
  switch (type) {
    case 'RollingUpdate':
      return nonNegative('spec.updateStrategy.rollingUpdate.partition', rollingUpdate?.partition)
    case 'OnDelete':
      return rollingUpdate
        ? [
            invalidValue(
              'spec.updateStrategy.rollingUpdate',
              rollingUpdate,
              `only allowed for updateStrategy '${'RollingUpdate'}'`,
            ),
          ]
        : []
    case undefined:
      return [required('spec.updateStrategy')]
    default:
      return [invalidValue('spec.updateStrategy', type, "must be 'RollingUpdate' or 'OnDelete'")]
  }
}

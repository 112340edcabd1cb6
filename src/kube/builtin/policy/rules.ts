/** policy PodDisruptionBudget, in both versions. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, invalidValue, labelSelector } from '../faults.js'
import { type KindRules } from '../rules.js'
import { type IntOrString, type LabelSelector } from '../types.js'
import { atMostAll, countOrPercent } from '../workloads.js'

interface PodDisruptionBudget extends KubeObject {
  spec: { minAvailable?: IntOrString; maxUnavailable?: IntOrString; selector?: LabelSelector }
}

export const podDisruptionBudget: KindRules = {
  nameRule: 'path-segment',
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validate(object) {
    const { minAvailable, maxUnavailable, selector } = (object as unknown as PodDisruptionBudget).spec
    const faults: Faults = []
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      const why = 'minAvailable and maxUnavailable cannot be both set'
      faults.push(invalidValue('spec', { minAvailable, maxUnavailable }, why))
    }
    return [
      ...faults,
      ...countOrPercent('spec.minAvailable', minAvailable),
      ...atMostAll('spec.minAvailable', minAvailable),
      ...countOrPercent('spec.maxUnavailable', maxUnavailable),
      ...atMostAll('spec.maxUnavailable', maxUnavailable),
      ...labelSelector('spec.selector', selector),
    ]
  },
}

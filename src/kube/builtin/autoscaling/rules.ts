/** autoscaling HorizontalPodAutoscaler: v1, and the three later versions that know other metrics. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, forbidden, invalidValue, name, oneOf, positive, required } from '../faults.js'
import { type KindRules } from '../rules.js'

interface ScaleTarget {
  kind: string
  name: string
  apiVersion?: string
}

interface Metric {
  type: string
  [source: string]: unknown
}

interface Autoscaler extends KubeObject {
  spec: {
    scaleTargetRef: ScaleTarget
    minReplicas?: number
    maxReplicas: number
    targetCPUUtilizationPercentage?: number
    metrics?: Metric[]
    behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules }
  }
}

interface ScalingRules {
  stabilizationWindowSeconds?: number
  selectPolicy?: string
  policies?: { type: string; value: number; periodSeconds: number }[]
}

const view = (object: object) => object as Autoscaler

const DEFAULT_UTILIZATION = 80

function specFaults({ spec }: Autoscaler): Faults {
  const faults: Faults = []
  const { minReplicas, maxReplicas } = spec
  if (minReplicas !== undefined && minReplicas < 1) {
    faults.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (maxReplicas < 1) faults.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const why = 'must be greater than or equal to `minReplicas`'
    faults.push(invalidValue('spec.maxReplicas', maxReplicas, why))
  }
  return [...faults, ...targetFaults('spec.scaleTargetRef', spec.scaleTargetRef)]
}

function targetFaults(field: string, { kind, name: target }: ScaleTarget): Faults {
  return [
    ...(kind === '' ? [required(`${field}.kind`)] : name('path-segment', `${field}.kind`, kind)),
    ...(target === '' ? [required(`${field}.name`)] : name('path-segment', `${field}.name`, target)),
  ]
}

export const autoscalerV1: KindRules = {
  defaults(object) {
    const { spec, metadata } = view(object)
    spec.minReplicas ??= 1
    // Metrics that v1 cannot hold are kept in annotations; with them there is no default.
    const annotated = metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] !== undefined
    if (!annotated) spec.targetCPUUtilizationPercentage ??= DEFAULT_UTILIZATION
  },
  validate: (object) => [
    ...specFaults(view(object)),
    ...positive('spec.targetCPUUtilizationPercentage', view(object).spec.targetCPUUtilizationPercentage),
  ],
}

/** @param cpu how the version writes the default metric */
function metricRules(cpu: () => Metric): KindRules {
  return {
    defaults(object) {
      const { spec } = view(object)
      spec.minReplicas ??= 1
      if ((spec.metrics ?? []).length === 0) spec.metrics = [cpu()]
      if (spec.behavior) defaultBehavior(spec.behavior)
    },
    validate(object) {
      const own = view(object)
      return [
        ...specFaults(own),
        ...(own.spec.metrics ?? []).flatMap((metric, i) => metricFaults(`spec.metrics[${i}]`, metric)),
        ...behaviorFaults('spec.behavior', own.spec.behavior),
      ]
    },
  }
}

/** v2beta2 and v2. */
export const autoscalerV2 = metricRules(() => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: DEFAULT_UTILIZATION } },
}))

export const autoscalerV2beta1 = metricRules(() => ({
  type: 'Resource',
  resource: { name: 'cpu', targetAverageUtilization: DEFAULT_UTILIZATION },
}))

function defaultBehavior(behavior: NonNullable<Autoscaler['spec']['behavior']>): void {
  const { scaleUp, scaleDown } = behavior
  behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    ...scaleUp,
  }
  behavior.scaleDown = {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    ...scaleDown,
  }
}

/** Metric types and the field of each. */
const SOURCES: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}

function metricFaults(field: string, metric: Metric): Faults {
  if (metric.type === '') return [required(`${field}.type`, 'must specify a metric source type')]
  const types = Object.keys(SOURCES).sort()
  const known = oneOf(`${field}.type`, metric.type, types)
  const faults = [...known]
  const own = SOURCES[metric.type]
  for (const source of Object.values(SOURCES)) {
    if (metric[source] !== undefined && own !== undefined && source !== own) {
      const why = 'must populate the given metric source only'
      faults.push(forbidden(`${field}.${source}`, why))
    }
  }
  if (own !== undefined && metric[own] === undefined) {
    const why = 'must populate information for the given metric source'
    faults.push(required(`${field}.${own}`, why))
  }
  return faults
}

function behaviorFaults(field: string, behavior: Autoscaler['spec']['behavior']): Faults {
  return (['scaleUp', 'scaleDown'] as const).flatMap((direction) => {
    const rules = behavior?.[direction]
    if (!rules) return []
    const at = `${field}.${direction}`
    const faults: Faults = []
    const window = rules.stabilizationWindowSeconds
    if (window !== undefined && window < 0) {
      faults.push(
        invalidValue(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'),
      )
    }
    if (window !== undefined && window > 3600) {
      faults.push(
        invalidValue(`${at}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'),
      )
    }
    if (rules.selectPolicy !== undefined) {
      faults.push(...oneOf(`${at}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min']))
    }
    if ((rules.policies ?? []).length === 0)
      faults.push(required(`${at}.policies`, 'must specify at least one Policy'))
    ;(rules.policies ?? []).forEach((policy, i) => {
      const each = `${at}.policies[${i}]`
      faults.push(...oneOf(`${each}.type`, policy.type, ['Percent', 'Pods']))
      if (policy.value <= 0)
        faults.push(invalidValue(`${each}.value`, policy.value, 'must be greater than zero'))
      if (policy.periodSeconds <= 0) {
        faults.push(invalidValue(`${each}.periodSeconds`, policy.periodSeconds, 'must be greater than zero'))
      }
    })
    return faults
  })
}

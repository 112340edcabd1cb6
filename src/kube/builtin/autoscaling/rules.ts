/** autoscaling HorizontalPodAutoscaler: v1, and the three later versions that know other metrics. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, forbidden, invalidValue, name, oneOf, positive, required } from '../faults.js'
import { sourceToV2 } from '../conversion/autoscaler.js'
import { type KindRules } from '../rules.js'
import { isNegative } from '../wire/quantity.js'

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

/** @param hasOutside whether something beside the pods is measured, which is there without any */
function specFaults({ spec }: Autoscaler, hasOutside = false): Faults {
  const faults: Faults = []
  const { minReplicas, maxReplicas } = spec
  if (minReplicas !== undefined && minReplicas < 1) {
    faults.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  }
  if (minReplicas === 0 && !hasOutside) {
    const why = 'must specify at least one Object or External metric to support scaling to zero replicas'
    faults.push(forbidden('spec.metrics', why))
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
    // It is checked as the metric that it stands for.
    ...positive(
      'spec.metrics[0].resource.target.averageUtilization',
      view(object).spec.targetCPUUtilizationPercentage,
    ),
  ],
}

/**
 * @param cpu how the version writes the default metric
 * @param read makes a metric of this version one of v2
 */
function metricRules(cpu: () => Metric, read = (metric: Metric): Metric => metric): KindRules {
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
        ...specFaults(own, (own.spec.metrics ?? []).some(isOutside)),
        ...(own.spec.metrics ?? []).flatMap((metric, i) => metricFaults(`spec.metrics[${i}]`, read(metric))),
        ...behaviorFaults('spec.behavior', own.spec.behavior),
      ]
    },
  }
}

const isOutside = ({ type }: Metric): boolean => type === 'Object' || type === 'External'

/** v2beta2 and v2. */
export const autoscalerV2 = metricRules(() => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: DEFAULT_UTILIZATION } },
}))

export const autoscalerV2beta1 = metricRules(
  () => ({
    type: 'Resource',
    resource: { name: 'cpu', targetAverageUtilization: DEFAULT_UTILIZATION },
  }),
  // One of a type that is not known, or that is not there, has nothing to be looked into.
  (metric) => (metric[SOURCES[metric.type] ?? ''] === undefined ? { type: metric.type } : sourceToV2(metric)),
)

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

/** In the order in which they are looked at: only the first is looked into. */
const LOOKED_AT = ['object', 'external', 'pods', 'resource', 'containerResource'] as const
const KNOWN_TYPES = Object.keys(SOURCES).sort()

function metricFaults(field: string, metric: Metric): Faults {
  const faults: Faults = []
  if (metric.type === '') faults.push(required(`${field}.type`, 'must specify a metric source type'))
  faults.push(...oneOf(`${field}.type`, metric.type, KNOWN_TYPES))
  const present = LOOKED_AT.filter((source) => metric[source] !== undefined)
  const [first] = present
  if (first !== undefined) faults.push(...sourceFaults(`${field}.${first}`, first, metric[first] as Source))
  const own = SOURCES[metric.type]
  if (own !== undefined && metric[own] === undefined) {
    const gate =
      own === 'containerResource' ? ' (only allowed when HPAContainerMetrics feature is enabled)' : ''
    faults.push(required(`${field}.${own}`, `must populate information for the given metric source${gate}`))
  }
  if (present.length === 1) return faults
  for (const source of present) {
    if (source !== own)
      faults.push(forbidden(`${field}.${source}`, 'must populate the given metric source only'))
  }
  return faults
}

interface Target {
  type: string
  value?: string
  averageValue?: string
  averageUtilization?: number
}

interface Source {
  name?: string
  container?: string
  describedObject?: ScaleTarget
  metric?: { name: string }
  target: Target
}

function sourceFaults(field: string, part: (typeof LOOKED_AT)[number], source: Source): Faults {
  const faults: Faults = []
  const { target } = source
  const at = `${field}.target`
  if (source.describedObject) faults.push(...targetFaults(`${field}.describedObject`, source.describedObject))
  if (part === 'resource' || part === 'containerResource') {
    if (!source.name) faults.push(required(`${field}.name`, 'must specify a resource name'))
    if (part === 'containerResource') {
      faults.push(
        ...(source.container
          ? name('label', `${field}.container`, source.container)
          : [required(`${field}.container`, 'must specify a container')]),
      )
    }
  } else if (!source.metric?.name) faults.push(required(`${field}.metric.name`, 'must specify a metric name'))
  else faults.push(...name('path-segment', `${field}.metric.name`, source.metric.name))
  faults.push(...metricTargetFaults(at, target))
  const value = target.value !== undefined
  const average = target.averageValue !== undefined
  const utilization = target.averageUtilization !== undefined
  switch (part) {
    case 'object':
      if (!value && !average) {
        faults.push(required(`${at}.averageValue`, 'must set either a target value or averageValue'))
      }
      break
    case 'external':
      if (!value && !average) {
        const why = 'must set either a target value for metric or a per-pod target'
        faults.push(required(`${at}.averageValue`, why))
      }
      if (value && average) {
        const why = 'may not set both a target value for metric and a per-pod target'
        faults.push(forbidden(`${at}.value`, why))
      }
      break
    case 'pods':
      if (!average) faults.push(required(`${at}.averageValue`, 'must specify a positive target averageValue'))
      break
    default:
      if (!utilization && !average) {
        const why = 'must set either a target raw value or a target utilization'
        faults.push(required(`${at}.averageUtilization`, why))
      }
      if (utilization && average) {
        const why = 'may not set both a target raw value and a target utilization'
        faults.push(forbidden(`${at}.averageValue`, why))
      }
  }
  return faults
}

function metricTargetFaults(field: string, target: Target): Faults {
  const faults: Faults = []
  if (!target.type) faults.push(required(`${field}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(target.type)) {
    const why = 'must be either Utilization, Value, or AverageValue'
    faults.push(invalidValue(`${field}.type`, target.type ?? '', why))
  }
  for (const part of ['value', 'averageValue'] as const) {
    const amount = target[part]
    if (amount !== undefined && (amount === '0' || isNegative(amount))) {
      faults.push(invalidValue(`${field}.${part}`, amount, 'must be positive'))
    }
  }
  const { averageUtilization: utilization } = target
  if (utilization !== undefined && utilization < 1) {
    faults.push(invalidValue(`${field}.averageUtilization`, utilization, 'must be greater than 0'))
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

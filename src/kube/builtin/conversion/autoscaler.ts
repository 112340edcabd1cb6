/**
 * HorizontalPodAutoscaler: v1 and v2beta1 from and to v2, which v2beta2 equals.
 *
 * v1 knows one metric, the use of cpu; others, the behaviour, current metrics and conditions travel in
 * annotations, written as v2beta1 writes them.
 */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Reshape } from './index.js'

type Json = Record<string, unknown>

interface Target {
  type: string
  value?: string
  averageValue?: string
  averageUtilization?: number
}

type Current = Omit<Target, 'type'>

interface Autoscaler extends KubeObject {
  spec: Json & { metrics?: Metric[]; behavior?: Json; targetCPUUtilizationPercentage?: number }
  status: Json & {
    currentMetrics?: Metric[] | null
    conditions?: Json[] | null
    currentCPUUtilizationPercentage?: number
  }
}

interface Metric {
  type: string
  [source: string]: unknown
}

const view = (object: KubeObject) => object as Autoscaler

const ANNOTATION = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const

/** Without what is undefined. */
function compact(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
}

/** A metric of v2beta1 as v2 writes it. */
export function sourceToV2(metric: Metric): Metric {
  const { type } = metric
  const source = (field: string) => (metric[field] ?? {}) as Json
  const utilization = (from: Json): Json =>
    from['targetAverageUtilization'] !== undefined
      ? { type: 'Utilization', averageUtilization: from['targetAverageUtilization'] }
      : { type: 'AverageValue', averageValue: from['targetAverageValue'] }
  const identifier = (from: Json, selector: string) =>
    compact({ name: from['metricName'], selector: from[selector] })
  switch (type) {
    case 'Resource': {
      const from = source('resource')
      return { type, resource: { name: from['name'], target: utilization(from) } }
    }
    case 'ContainerResource': {
      const from = source('containerResource')
      const { name, container } = from
      return { type, containerResource: { name, container, target: utilization(from) } }
    }
    case 'Pods': {
      const from = source('pods')
      const target = { type: 'AverageValue', averageValue: from['targetAverageValue'] }
      return { type, pods: { metric: identifier(from, 'selector'), target } }
    }
    case 'Object': {
      const from = source('object')
      const target =
        from['averageValue'] !== undefined
          ? { type: 'AverageValue', averageValue: from['averageValue'] }
          : { type: 'Value', value: from['targetValue'] }
      return {
        type,
        object: { describedObject: from['target'], metric: identifier(from, 'selector'), target },
      }
    }
    case 'External': {
      const from = source('external')
      const target =
        from['targetAverageValue'] !== undefined
          ? { type: 'AverageValue', averageValue: from['targetAverageValue'] }
          : { type: 'Value', value: from['targetValue'] }
      return { type, external: { metric: identifier(from, 'metricSelector'), target } }
    }
    default:
      return metric
  }
}

function sourceFromV2(metric: Metric): Metric {
  const { type } = metric
  const source = (field: string) => (metric[field] ?? {}) as Json & { metric?: Json; target?: Target }
  const average = ({ target }: { target?: Target }) =>
    compact({
      targetAverageUtilization: target?.averageUtilization,
      targetAverageValue: target?.averageValue,
    })
  switch (type) {
    case 'Resource': {
      const from = source('resource')
      return { type, resource: { name: from['name'], ...average(from) } }
    }
    case 'ContainerResource': {
      const from = source('containerResource')
      return {
        type,
        containerResource: { name: from['name'], container: from['container'], ...average(from) },
      }
    }
    case 'Pods': {
      const { metric: id, target } = source('pods')
      return {
        type,
        pods: compact({
          metricName: id?.['name'],
          selector: id?.['selector'],
          targetAverageValue: target?.averageValue,
        }),
      }
    }
    case 'Object': {
      const { metric: id, target, describedObject } = source('object')
      return {
        type,
        object: compact({
          target: describedObject,
          metricName: id?.['name'],
          selector: id?.['selector'],
          targetValue: target?.value ?? '0',
          averageValue: target?.averageValue,
        }),
      }
    }
    case 'External': {
      const { metric: id, target } = source('external')
      return {
        type,
        external: compact({
          metricName: id?.['name'],
          metricSelector: id?.['selector'],
          targetValue: target?.value,
          targetAverageValue: target?.averageValue,
        }),
      }
    }
    default:
      return metric
  }
}

/** A current value of v2beta1 as v2 writes it. */
function currentToV2(metric: Metric): Metric {
  const { type } = metric
  const source = (field: string) => (metric[field] ?? {}) as Json
  const values = (from: Json): Current =>
    compact({
      value: from['currentValue'],
      averageValue: from['currentAverageValue'] ?? from['averageValue'],
      averageUtilization: from['currentAverageUtilization'],
    })
  const identifier = (from: Json, selector: string) =>
    compact({ name: from['metricName'], selector: from[selector] })
  switch (type) {
    case 'Resource': {
      const from = source('resource')
      return { type, resource: { name: from['name'], current: values(from) } }
    }
    case 'ContainerResource': {
      const from = source('containerResource')
      return {
        type,
        containerResource: { name: from['name'], container: from['container'], current: values(from) },
      }
    }
    case 'Pods': {
      const from = source('pods')
      return { type, pods: { metric: identifier(from, 'selector'), current: values(from) } }
    }
    case 'Object': {
      const from = source('object')
      return {
        type,
        object: {
          describedObject: from['target'],
          metric: identifier(from, 'selector'),
          current: values(from),
        },
      }
    }
    case 'External': {
      const from = source('external')
      return { type, external: { metric: identifier(from, 'metricSelector'), current: values(from) } }
    }
    default:
      return metric
  }
}

function currentFromV2(metric: Metric): Metric {
  const { type } = metric
  const source = (field: string) => (metric[field] ?? {}) as Json & { metric?: Json; current?: Current }
  const average = (current: Current | undefined) =>
    compact({
      currentAverageUtilization: current?.averageUtilization,
      currentAverageValue: current?.averageValue ?? '0',
    })
  switch (type) {
    case 'Resource': {
      const { name, current } = source('resource')
      return { type, resource: { name, ...average(current) } }
    }
    case 'ContainerResource': {
      const { name, container, current } = source('containerResource')
      return { type, containerResource: { name, container, ...average(current) } }
    }
    case 'Pods': {
      const { metric: id, current } = source('pods')
      return {
        type,
        pods: compact({
          metricName: id?.['name'],
          selector: id?.['selector'],
          currentAverageValue: current?.averageValue ?? '0',
        }),
      }
    }
    case 'Object': {
      const { metric: id, current, describedObject } = source('object')
      return {
        type,
        object: compact({
          target: describedObject,
          metricName: id?.['name'],
          selector: id?.['selector'],
          currentValue: current?.value ?? '0',
          averageValue: current?.averageValue,
        }),
      }
    }
    case 'External': {
      const { metric: id, current } = source('external')
      return {
        type,
        external: compact({
          metricName: id?.['name'],
          metricSelector: id?.['selector'],
          currentValue: current?.value ?? '0',
          currentAverageValue: current?.averageValue,
        }),
      }
    }
    default:
      return metric
  }
}

function annotate(object: KubeObject, key: string, value: unknown): void {
  object.metadata.annotations = { ...object.metadata.annotations, [key]: JSON.stringify(value) }
}

/** Takes an annotation away. What is no JSON is dropped, as the original does. */
function unannotate(object: KubeObject, key: string): unknown {
  const { annotations } = object.metadata
  const text = annotations?.[key]
  if (annotations === undefined || text === undefined) return undefined
  const { [key]: _, ...rest } = annotations
  if (Object.keys(rest).length > 0) object.metadata.annotations = rest
  else delete object.metadata.annotations
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const autoscalerV2beta1: Reshape = {
  toStorage(object) {
    const { spec, status } = view(object)
    if (spec.metrics) spec.metrics = spec.metrics.map(sourceToV2)
    if (status.currentMetrics) status.currentMetrics = status.currentMetrics.map(currentToV2)
    const behavior = unannotate(object, ANNOTATION.behavior)
    if (behavior !== undefined) spec.behavior = behavior as Json
  },
  fromStorage(object) {
    const { spec, status } = view(object)
    if (spec.metrics) spec.metrics = spec.metrics.map(sourceFromV2)
    if (status.currentMetrics) status.currentMetrics = status.currentMetrics.map(currentFromV2)
    if (spec.behavior) annotate(object, ANNOTATION.behavior, spec.behavior)
    delete spec.behavior
  },
}

const isCpuUse = (metric: Metric): boolean => {
  const resource = metric['resource'] as { name?: string; target?: Target } | undefined
  return (
    metric.type === 'Resource' &&
    resource?.name === 'cpu' &&
    resource.target?.averageUtilization !== undefined
  )
}

export const autoscalerV1: Reshape = {
  toStorage(object) {
    const { spec, status } = view(object)
    const others = unannotate(object, ANNOTATION.metrics)
    const metrics = Array.isArray(others) ? (others as Metric[]).map(sourceToV2) : []
    const percentage = spec.targetCPUUtilizationPercentage
    if (percentage !== undefined) {
      const target = { type: 'Utilization', averageUtilization: percentage }
      metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target } })
    }
    if (metrics.length > 0) spec.metrics = metrics
    delete spec.targetCPUUtilizationPercentage
    const behavior = unannotate(object, ANNOTATION.behavior)
    if (behavior !== undefined) spec.behavior = behavior as Json

    const current = unannotate(object, ANNOTATION.currentMetrics)
    const currentMetrics = Array.isArray(current) ? (current as Metric[]).map(currentToV2) : []
    const use = status.currentCPUUtilizationPercentage
    if (use !== undefined && currentMetrics.length === 0) {
      currentMetrics.push({
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: use } },
      })
    }
    delete status.currentCPUUtilizationPercentage
    if (currentMetrics.length > 0) status.currentMetrics = currentMetrics
    const conditions = unannotate(object, ANNOTATION.conditions)
    if (Array.isArray(conditions)) status.conditions = conditions as Json[]
  },
  fromStorage(object) {
    const { spec, status } = view(object)
    const cpu = spec.metrics?.find(isCpuUse)
    const others = (spec.metrics ?? []).filter((metric) => metric !== cpu)
    if (cpu) {
      const { target } = cpu['resource'] as { target: Target }
      if (target.averageUtilization !== undefined)
        spec.targetCPUUtilizationPercentage = target.averageUtilization
    }
    if (others.length > 0) annotate(object, ANNOTATION.metrics, others.map(sourceFromV2))
    delete spec.metrics
    if (spec.behavior) annotate(object, ANNOTATION.behavior, spec.behavior)
    delete spec.behavior

    const current = status.currentMetrics ?? []
    for (const metric of current) {
      const resource = metric['resource'] as { name?: string; current?: Current } | undefined
      const use = resource?.name === 'cpu' ? resource.current?.averageUtilization : undefined
      if (use !== undefined) status.currentCPUUtilizationPercentage = use
    }
    if (current.length > 0) annotate(object, ANNOTATION.currentMetrics, current.map(currentFromV2))
    if ((status.conditions ?? []).length > 0) annotate(object, ANNOTATION.conditions, status.conditions)
    delete status.currentMetrics
    delete status.conditions
  },
}

/** Rows of what makes pods: apps, batch, autoscaling. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type IntOrString,
  type LabelSelector,
  type PodTemplateSpec,
  type StringMap,
  type Workload,
} from '../types.js'
import { age, humanDuration } from './age.js'
import { type Row } from './rows.js'
import { containerImages, containerNames, labelText, NONE, selectorText, UNKNOWN, UNSET } from './text.js'

const workload = (object: Readonly<KubeObject>) => object as Workload

/** The containers, their images, and how the pods are selected: shown with `-o wide`. */
function wide(template: PodTemplateSpec | undefined, selector: string): unknown[] {
  const containers = template?.spec.containers
  return [containerNames(containers), containerImages(containers), selector]
}

export const deployment: Row = (object, now) => {
  const { metadata, spec, status } = workload(object)
  return [
    metadata.name,
    `${status['readyReplicas'] ?? 0}/${spec.replicas ?? 0}`,
    status['updatedReplicas'] ?? 0,
    status['availableReplicas'] ?? 0,
    age(metadata.creationTimestamp, now),
    ...wide(spec.template, selectorText(spec.selector)),
  ]
}

export const replicaSet: Row = (object, now) => {
  const { metadata, spec, status } = workload(object)
  return [
    metadata.name,
    spec.replicas ?? 0,
    status['replicas'] ?? 0,
    status['readyReplicas'] ?? 0,
    age(metadata.creationTimestamp, now),
    ...wide(spec.template, selectorText(spec.selector)),
  ]
}

export const replicationController: Row = (object, now) => {
  const cells = replicaSet(object, now).slice(0, 5)
  const { template, selector } = workload(object).spec
  return [...cells, ...wide(template, labelText(selector as StringMap | undefined))]
}

export const statefulSet: Row = (object, now) => {
  const { metadata, spec, status } = workload(object)
  return [
    metadata.name,
    `${status['readyReplicas'] ?? 0}/${spec.replicas ?? 0}`,
    age(metadata.creationTimestamp, now),
    ...wide(spec.template, '').slice(0, 2),
  ]
}

export const daemonSet: Row = (object, now) => {
  const { metadata, spec, status } = workload(object)
  return [
    metadata.name,
    status['desiredNumberScheduled'] ?? 0,
    status['currentNumberScheduled'] ?? 0,
    status['numberReady'] ?? 0,
    status['updatedNumberScheduled'] ?? 0,
    status['numberAvailable'] ?? 0,
    labelText(spec.template.spec.nodeSelector),
    age(metadata.creationTimestamp, now),
    ...wide(spec.template, selectorText(spec.selector)),
  ]
}

export const controllerRevision: Row = (object, now) => {
  const { metadata } = object
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  const group = owner?.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  const revision = (object as { revision?: number }).revision ?? 0
  return [
    metadata.name,
    owner ? `${owner.kind.toLowerCase()}${group}/${owner.name}` : NONE,
    revision,
    age(metadata.creationTimestamp, now),
  ]
}

interface Job extends KubeObject {
  spec: { completions?: number; parallelism?: number; template: PodTemplateSpec; selector?: LabelSelector }
  status: { succeeded?: number; startTime?: string; completionTime?: string }
}

export const job: Row = (object, now) => {
  const { metadata, spec, status } = object as Job
  const done = status.succeeded ?? 0
  const parallelism = spec.parallelism ?? 0
  const wanted =
    spec.completions !== undefined ? String(spec.completions) : parallelism > 1 ? `1 of ${parallelism}` : '1'
  const until = status.completionTime === undefined ? now.getTime() : Date.parse(status.completionTime)
  return [
    metadata.name,
    `${done}/${wanted}`,
    status.startTime === undefined ? '' : humanDuration(until - Date.parse(status.startTime)),
    age(metadata.creationTimestamp, now),
    ...wide(spec.template, selectorText(spec.selector)),
  ]
}

interface CronJob extends KubeObject {
  spec: { schedule: string; suspend?: boolean; jobTemplate: { spec: Job['spec'] } }
  status: { active?: unknown[]; lastScheduleTime?: string }
}

export const cronJob: Row = (object, now) => {
  const { metadata, spec, status } = object as CronJob
  const { template, selector } = spec.jobTemplate.spec
  return [
    metadata.name,
    spec.schedule,
    spec.suspend === undefined ? UNSET : spec.suspend ? 'True' : 'False',
    status.active?.length ?? 0,
    status.lastScheduleTime === undefined ? NONE : age(status.lastScheduleTime, now),
    age(metadata.creationTimestamp, now),
    ...wide(template, selectorText(selector)),
  ]
}

interface Values {
  type?: string
  value?: string
  averageValue?: string
  averageUtilization?: number
}

interface Metric {
  type: string
  [source: string]: unknown
}

interface Autoscaler extends KubeObject {
  spec: {
    scaleTargetRef: { kind: string; name: string }
    minReplicas?: number
    maxReplicas: number
    metrics?: Metric[]
  }
  status: { currentReplicas?: number; currentMetrics?: Metric[] | null }
}

/** In the form of v2; other versions are converted first. */
export const autoscaler: Row = (object, now) => {
  const { metadata, spec, status } = object as Autoscaler
  const { kind, name } = spec.scaleTargetRef
  return [
    metadata.name,
    `${kind}/${name}`,
    metricsText(spec.metrics ?? [], status.currentMetrics ?? []),
    spec.minReplicas === undefined ? UNSET : String(spec.minReplicas),
    spec.maxReplicas,
    status.currentReplicas ?? 0,
    age(metadata.creationTimestamp, now),
  ]
}

const SOURCES: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}

function metricsText(metrics: readonly Metric[], current: readonly Metric[]): string {
  if (metrics.length === 0) return NONE
  const texts = metrics.map((metric, index) => metricText(metric, current[index]))
  if (texts.length <= 2) return texts.join(', ')
  return `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...`
}

function metricText(metric: Metric, current: Metric | undefined): string {
  const source = SOURCES[metric.type]
  if (source === undefined) return '<unknown type>'
  const { target } = (metric[source] ?? {}) as { target?: Values }
  const now = ((current?.[source] ?? {}) as { current?: Values }).current
  const isResource = metric.type === 'Resource' || metric.type === 'ContainerResource'
  if (target?.averageValue !== undefined) {
    const value = now?.averageValue ?? UNKNOWN
    const mark = metric.type === 'External' || metric.type === 'Object' ? ' (avg)' : ''
    return `${value}/${target.averageValue}${mark}`
  }
  if (isResource) {
    const value = now?.averageUtilization === undefined ? UNKNOWN : `${now.averageUtilization}%`
    const wanted = target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`
    return `${value}/${wanted}`
  }
  return `${now?.value ?? UNKNOWN}/${target?.value ?? ''}`
}

interface Budget extends KubeObject {
  spec: { minAvailable?: IntOrString; maxUnavailable?: IntOrString }
  status: { disruptionsAllowed: number }
}

export const podDisruptionBudget: Row = (object, now) => {
  const { metadata, spec, status } = object as Budget
  return [
    metadata.name,
    spec.minAvailable === undefined ? 'N/A' : String(spec.minAvailable),
    spec.maxUnavailable === undefined ? 'N/A' : String(spec.maxUnavailable),
    status.disruptionsAllowed,
    age(metadata.creationTimestamp, now),
  ]
}

export const podTemplate: Row = (object) => {
  const { template } = object as unknown as { template: PodTemplateSpec }
  return [object.metadata.name, ...wide(template, '').slice(0, 2), labelText(template.metadata.labels)]
}

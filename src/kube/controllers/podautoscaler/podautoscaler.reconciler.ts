/**
 * Scales workloads by what their pods use.
 *
 * Only resource metrics are known here, and only where somebody measures: without, a condition says so and the number
 * of pods stays as it is.
 */
import { parseApiVersion, type KubeObject } from '../../../apimachinery/meta/types.js'
import { Quantity } from '../../../apimachinery/quantity/quantity.js'
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type LabelSelector, type Pod, type ResourceList } from '../../builtin/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { type Collection, type Collections, selectorOf, selectorOfMap } from '../collections.js'
import { subjectOf } from '../pods/create.js'
import { isActive, isReady, type TimedCondition } from '../pods/state.js'
import { Stored } from '../stored.js'
import { type Writer } from '../writer.js'

interface MetricTarget {
  type: string
  averageUtilization?: number
  averageValue?: string
}

interface Metric {
  type: string
  resource?: { name: string; target: MetricTarget }
}

export interface PodAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: { kind: string; name: string; apiVersion?: string }
    minReplicas?: number
    maxReplicas: number
    metrics?: Metric[]
    behavior?: { scaleDown?: { stabilizationWindowSeconds?: number } }
  }
  status: {
    observedGeneration?: number
    lastScaleTime?: string
    currentReplicas?: number
    desiredReplicas?: number
    currentMetrics?: unknown[] | null
    conditions?: TimedCondition[]
  }
}

interface Target extends KubeObject {
  spec: { replicas?: number; selector: LabelSelector | null }
  status: { replicas?: number }
}

export interface PodAutoscalerDeps {
  autoscalers: Stored<PodAutoscaler>
  pods: Collection<Pod>
  collections: Collections
  writer: Writer
  /** What a pod's containers use together; undefined where nobody measures. */
  usageOf: (pod: Readonly<Pod>) => ResourceList | undefined
  recorder: EventRecorder
  clock: Clock
}

interface Proposal {
  replicas: number
  current: unknown
  metric: string
}

class Unmeasured extends Error {}

const SYNC_MS = 15_000
const TOLERANCE = 0.1
const SCALE_DOWN_WINDOW_S = 300
const RESOURCES: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  ReplicationController: 'replicationcontrollers',
}

export class PodAutoscalerReconciler implements Reconciler {
  /** uid → what was wanted, and when; scaling down takes the most of the recent past. */
  readonly #wanted = new Map<string, { at: number; replicas: number }[]>()

  constructor(private readonly deps: PodAutoscalerDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const scaler = this.deps.autoscalers.get(namespace, name)
    if (!scaler) return
    const target = this.#target(scaler)
    if (!target) {
      const { kind, name: targetName } = scaler.spec.scaleTargetRef
      const message = `the HPA controller was unable to get the target's current scale: ${RESOURCES[kind] ?? kind} ${JSON.stringify(targetName)} not found`
      return this.#fail(scaler, 'AbleToScale', 'FailedGetScale', message, signal)
    }
    const { stored, object } = target
    const current = object.spec.replicas ?? 1
    if (current === 0) {
      const message = 'scaling is disabled since the replica count of the target is zero'
      return this.#fail(scaler, 'ScalingActive', 'ScalingDisabled', message, signal)
    }
    let proposals: Proposal[]
    try {
      proposals = (scaler.spec.metrics ?? []).map((metric) =>
        this.#propose(namespace, object, metric, current),
      )
    } catch (error) {
      if (!(error instanceof Unmeasured)) throw error
      return this.#fail(scaler, 'ScalingActive', 'FailedGetResourceMetric', error.message, signal)
    }
    const { minReplicas = 1, maxReplicas } = scaler.spec
    const best = proposals.reduce<Proposal | undefined>(
      (most, each) => (!most || each.replicas > most.replicas ? each : most),
      undefined,
    )
    const wanted = Math.min(
      maxReplicas,
      Math.max(minReplicas, this.#stabilised(scaler, best?.replicas ?? current)),
    )
    if (wanted !== current) {
      await stored.update(object, (now) => (now.spec.replicas = wanted), signal)
      const message = `New size: ${wanted}; reason: ${best?.metric ?? 'current'} ${wanted > current ? 'above' : 'below'} target`
      this.deps.recorder.event(subjectOf(scaler), 'Normal', 'SuccessfulRescale', message)
    }
    await this.#report(scaler, object, wanted, wanted !== current, proposals, signal)
    return { requeueAfter: SYNC_MS }
  }

  #target({
    metadata,
    spec,
  }: Readonly<PodAutoscaler>): { stored: Stored<Target>; object: Readonly<Target> } | undefined {
    const { kind, name, apiVersion = '' } = spec.scaleTargetRef
    const resource = RESOURCES[kind]
    const place = parseApiVersion(apiVersion)
    if (resource === undefined || !place) return undefined
    const { collections, writer } = this.deps
    const stored = new Stored<Target>(collections, writer, place.group, place.version, resource)
    const object = stored.get(metadata.namespace ?? '', name)
    return object && { stored, object }
  }

  /** @throws Unmeasured */
  #propose(
    namespace: string,
    target: Readonly<Target>,
    { type, resource }: Metric,
    current: number,
  ): Proposal {
    if (type !== 'Resource' || !resource) {
      throw new Unmeasured(`unable to fetch metrics: no adapter serves metrics of type ${type}`)
    }
    const selector =
      target.kind === 'ReplicationController'
        ? selectorOfMap(target.spec.selector as unknown as Record<string, string>)
        : selectorOf(target.spec.selector)
    const pods = this.deps.pods.select(namespace, selector).filter((pod) => isActive(pod) && isReady(pod))
    const used = pods.map((pod) => milli(this.deps.usageOf(pod)?.[resource.name]))
    if (pods.length === 0 || used.some((value) => value === undefined)) {
      throw new Unmeasured(
        `unable to get metrics for resource ${resource.name}: no metrics returned from resource metrics API`,
      )
    }
    const total = used.reduce<number>((sum, value) => sum + (value ?? 0), 0)
    const { name, target: goal } = resource
    const average = Math.ceil(total / pods.length)
    const averageValue = Quantity.milli(average).toString()
    if (goal.averageValue !== undefined) {
      const ratio = average / (milli(goal.averageValue) || 1)
      return {
        replicas: scaledBy(ratio, current, pods.length),
        current: { averageValue },
        metric: `${name} resource`,
      }
    }
    const requested = pods.reduce((sum, pod) => sum + requestOf(pod, name), 0)
    if (requested === 0) throw new Unmeasured(`missing request for ${name}`)
    const utilization = Math.floor((total * 100) / requested)
    return {
      replicas: scaledBy(utilization / (goal.averageUtilization ?? 80), current, pods.length),
      current: { averageUtilization: utilization, averageValue },
      metric: `${name} resource utilization (percentage of request)`,
    }
  }

  #stabilised(scaler: Readonly<PodAutoscaler>, replicas: number): number {
    const now = this.deps.clock.now()
    const window = scaler.spec.behavior?.scaleDown?.stabilizationWindowSeconds ?? SCALE_DOWN_WINDOW_S
    const uid = scaler.metadata.uid ?? ''
    const recent = (this.#wanted.get(uid) ?? []).filter(({ at }) => at > now - window * 1000)
    this.#wanted.set(uid, [...recent, { at: now, replicas }])
    return Math.max(replicas, ...recent.map((each) => each.replicas))
  }

  async #report(
    scaler: Readonly<PodAutoscaler>,
    target: Readonly<Target>,
    desired: number,
    moved: boolean,
    proposals: readonly Proposal[],
    signal: AbortSignal,
  ): Promise<void> {
    const { autoscalers, clock } = this.deps
    const now = wireTime(clock.now())
    const metrics = (scaler.spec.metrics ?? []).map(({ resource }, i) => ({
      type: 'Resource',
      resource: { name: resource?.name, current: proposals[i]?.current },
    }))
    const ready = {
      type: 'AbleToScale',
      status: 'True',
      reason: 'ReadyForNewScale',
      message: 'recommended size matches current size',
    }
    const active = {
      type: 'ScalingActive',
      status: 'True',
      reason: 'ValidMetricFound',
      message: 'the HPA was able to successfully calculate a replica count',
    }
    await autoscalers.updateStatus(
      scaler,
      {
        currentReplicas: target.status.replicas ?? 0,
        desiredReplicas: desired,
        currentMetrics: metrics,
        ...(moved && { lastScaleTime: now }),
        conditions: conditionsWith(scaler.status.conditions, [ready, active], now),
      },
      signal,
    )
  }

  async #fail(
    scaler: Readonly<PodAutoscaler>,
    type: string,
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<Result> {
    const { autoscalers, recorder, clock } = this.deps
    const failed = { type, status: 'False', reason, message }
    const known = scaler.status.conditions?.find((condition) => condition.type === type)
    if (known?.reason !== reason) recorder.event(subjectOf(scaler), 'Warning', reason, message)
    const conditions = conditionsWith(scaler.status.conditions, [failed], wireTime(clock.now()))
    await autoscalers.updateStatus(scaler, { conditions }, signal)
    return { requeueAfter: SYNC_MS }
  }
}

function conditionsWith(
  known: readonly TimedCondition[] | undefined,
  wanted: readonly { type: string; status: string; reason: string; message: string }[],
  now: string,
): TimedCondition[] {
  const others = (known ?? []).filter(({ type }) => wanted.every((each) => each.type !== type))
  const next = wanted.map((each) => {
    const before = known?.find(({ type }) => type === each.type)
    const lastTransitionTime = before?.status === each.status ? (before.lastTransitionTime ?? now) : now
    return { ...each, lastTransitionTime }
  })
  return [...others, ...next]
}

function milli(amount: string | undefined): number | undefined {
  return amount === undefined ? undefined : Number(Quantity.parse(amount).milliValue())
}

function requestOf({ spec }: Readonly<Pod>, resource: string): number {
  return (spec.containers ?? []).reduce(
    (sum, { resources }) => sum + (milli(resources.requests?.[resource]) ?? 0),
    0,
  )
}

function scaledBy(ratio: number, current: number, measured: number): number {
  return Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(ratio * measured)
}

/** Keeps the number of pods that a ReplicaSet or a ReplicationController asks for. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Selector } from '../../../apimachinery/labels/index.js'
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Pod, type Workload } from '../../builtin/types.js'
import { type Clock, wireTime } from '../../registry/clock.js'
import { claim } from '../pods/claim.js'
import { BURST, createPod, deletePod, inBatches, isRefusal, isTerminating, podOf } from '../pods/create.js'
import {
  availableInMs,
  compareForDeletion,
  isActive,
  isEnding,
  isReady,
  type TimedCondition,
} from '../pods/state.js'
import { type Stored } from '../stored.js'

export interface ReplicaOwner extends KubeObject {
  spec: Workload['spec']
  status: {
    replicas?: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    observedGeneration?: number
    conditions?: TimedCondition[]
  }
}

export interface ReplicasDeps {
  owners: Stored<ReplicaOwner>
  pods: Stored<Pod>
  /** Of a ReplicationController this is a plain map. */
  selectorOf: (owner: Readonly<ReplicaOwner>) => Selector
  recorder: EventRecorder
  clock: Clock
}

interface Failure {
  reason: string
  message: string
}

export class ReplicasReconciler implements Reconciler {
  constructor(private readonly deps: ReplicasDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { owners, pods, selectorOf } = this.deps
    const owner = owners.get(namespace, name)
    if (!owner) return
    const owned = await claim(pods, owner, selectorOf(owner), signal, isActive)
    let failure: Error | undefined
    if (!isEnding(owner)) failure = await this.#scale(owner, owned.filter(isActive), signal)
    const current = [...pods.collection.ownedBy(owner.metadata.uid ?? '')].filter(isActive)
    const again = await this.#report(owner, current, failure, signal)
    if (failure !== undefined && !isRefusal(failure)) throw failure
    // A quota may have room later, and says nothing then.
    if (failure !== undefined && !isTerminating(failure)) return { requeueAfter: REFUSED_MS }
    return again
  }

  async #scale(
    owner: Readonly<ReplicaOwner>,
    active: Readonly<Pod>[],
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    const work = { pods: this.deps.pods, owner, recorder: this.deps.recorder, signal }
    const missing = (owner.spec.replicas ?? 1) - active.length
    if (missing > 0) {
      const { failure } = await inBatches(Math.min(missing, BURST), () =>
        createPod(work, podOf(owner.spec.template, owner, {})),
      )
      return failure
    }
    if (missing === 0) return undefined
    const onNode = new Map<string, number>()
    for (const { spec } of active) onNode.set(spec.nodeName ?? '', (onNode.get(spec.nodeName ?? '') ?? 0) + 1)
    const doomed = active
      .sort((a, b) => compareForDeletion(a, b, ({ spec }) => onNode.get(spec.nodeName ?? '') ?? 0))
      .slice(0, Math.min(-missing, BURST))
    const { failure } = await inBatches(doomed.length, (i) => deletePod(work, doomed[i] as Pod))
    return failure
  }

  async #report(
    owner: Readonly<ReplicaOwner>,
    active: readonly Readonly<Pod>[],
    failure: Error | undefined,
    signal: AbortSignal,
  ): Promise<Result> {
    const { owners, clock } = this.deps
    const { minReadySeconds = 0, template } = owner.spec
    const labels = Object.entries(template.metadata.labels ?? {})
    let [labelled, ready, available, soonest] = [0, 0, 0, Infinity]
    for (const pod of active) {
      if (labels.every(([key, value]) => pod.metadata.labels?.[key] === value)) labelled++
      if (isReady(pod)) ready++
      const wait = availableInMs(pod, minReadySeconds, clock.now())
      if (wait === 0) available++
      else if (wait !== undefined) soonest = Math.min(soonest, wait)
    }
    const conditions = this.#conditions(owner, active.length, failure)
    await owners.updateStatus(
      owner,
      {
        replicas: active.length,
        fullyLabeledReplicas: labelled || undefined,
        readyReplicas: ready || undefined,
        availableReplicas: available || undefined,
        observedGeneration: owner.metadata.generation,
        conditions: conditions.length > 0 ? conditions : undefined,
      },
      signal,
    )
    return soonest === Infinity ? undefined : { requeueAfter: soonest }
  }

  #conditions(owner: Readonly<ReplicaOwner>, active: number, failure: Error | undefined): TimedCondition[] {
    const others = (owner.status.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure')
    const why = failure === undefined ? undefined : failureOf(failure, (owner.spec.replicas ?? 1) > active)
    if (!why) return others
    const known = (owner.status.conditions ?? []).find(({ type }) => type === 'ReplicaFailure')
    // Each failure names another pod: written anew, it would bring the owner here again at once.
    if (known?.status === 'True' && known.reason === why.reason) return [...others, known]
    const lastTransitionTime = wireTime(this.deps.clock.now())
    return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime, ...why }]
  }
}

const REFUSED_MS = 5_000

function failureOf(failure: Error | undefined, missing: boolean): Failure {
  const message = failure instanceof Error ? failure.message : String(failure)
  return { reason: missing ? 'FailedCreate' : 'FailedDelete', message }
}

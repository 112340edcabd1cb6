/**
 * Keeps the pods of a StatefulSet, each with its own name and claims.
 *
 * OrderedReady: one step per pass, the next when the pod of the last is ready. Parallel: creation and removal do not
 * wait; a rolling update is in order either way, from the highest ordinal down.
 */
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type PersistentVolumeClaim, type Pod, type PodTemplateSpec } from '../../builtin/types.js'
import { selectorOf } from '../collections.js'
import { claim } from '../pods/claim.js'
import { errorOf, subjectOf } from '../pods/create.js'
import { isEnding, isReady } from '../pods/state.js'
import {
  type ControllerRevision,
  type History,
  historyOf,
  REVISION_HASH,
  truncate,
} from '../revisions/history.js'
import { type Stored } from '../stored.js'
import { claimAt, ordinalOf, podAt, type StatefulSet, type StatefulSetStatus } from './types.js'

export interface StatefulSetDeps {
  sets: Stored<StatefulSet>
  pods: Stored<Pod>
  claims: Stored<PersistentVolumeClaim>
  revisions: Stored<ControllerRevision>
  recorder: EventRecorder
}

/** What one pass works with. */
interface Pass {
  set: Readonly<StatefulSet>
  history: History
  current: Readonly<ControllerRevision>
  /** By ordinal. */
  pods: Map<number, Readonly<Pod>>
  signal: AbortSignal
}

const HASH_LABEL = 'controller.kubernetes.io/hash'
const nameOf = ({ metadata }: { metadata: { name?: string } }): string => metadata.name ?? ''
const revisionOf = (pod: Readonly<Pod>): string => pod.metadata.labels?.[REVISION_HASH] ?? ''
const isRunningAndReady = (pod: Readonly<Pod>): boolean => pod.status.phase === 'Running' && isReady(pod)
const isHealthy = (pod: Readonly<Pod>): boolean => isRunningAndReady(pod) && !isEnding(pod)

export class StatefulSetReconciler implements Reconciler {
  constructor(private readonly deps: StatefulSetDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { sets, pods, revisions } = this.deps
    const set = sets.get(namespace, name)
    if (!set) return
    const selector = selectorOf(set.spec.selector)
    if (selector.isEmpty) return
    await claim(pods, set, selector, signal, (pod) => ordinalOf(set, pod) !== undefined)
    const history = await historyOf(revisions, set, selector, HASH_LABEL, signal)
    if (!history) {
      const collisionCount = (set.status.collisionCount ?? 0) + 1
      return sets.updateStatus(set, { collisionCount }, signal)
    }
    const current =
      history.all.find((revision) => nameOf(revision) === set.status.currentRevision) ?? history.update
    const pass = { set, history, current, pods: this.#podsOf(set), signal }
    let failure: Error | undefined
    if (!isEnding(set)) {
      try {
        await this.#step(pass)
      } catch (error) {
        failure = errorOf(error)
      }
    }
    await this.#report(pass)
    const live = new Set([...this.#podsOf(set).values()].map(revisionOf).concat(nameOf(current)))
    await truncate(revisions, set, history, live, nameOf, signal)
    if (failure !== undefined) throw failure
  }

  #podsOf(set: Readonly<StatefulSet>): Map<number, Readonly<Pod>> {
    const found = new Map<number, Readonly<Pod>>()
    for (const pod of this.deps.pods.collection.ownedBy(set.metadata.uid ?? '')) {
      const ordinal = ordinalOf(set, pod)
      if (ordinal !== undefined) found.set(ordinal, pod)
    }
    return found
  }

  async #step(pass: Pass): Promise<void> {
    const { set, pods } = pass
    const replicas = set.spec.replicas ?? 1
    const inOrder = set.spec.podManagementPolicy !== 'Parallel'
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      if ((await this.#fill(pass, ordinal)) === 'moved') {
        if (inOrder) return
        continue
      }
      const pod = pods.get(ordinal)
      if (inOrder && pod && !isHealthy(pod)) return
    }
    const condemned = [...pods.keys()].filter((ordinal) => ordinal >= replicas).sort((a, b) => b - a)
    const firstUnhealthy = [...pods.keys()]
      .sort((a, b) => a - b)
      .find((at) => !isHealthy(pods.get(at) as Pod))
    for (const ordinal of condemned) {
      const pod = pods.get(ordinal) as Pod
      if (isEnding(pod)) {
        if (inOrder) return
        continue
      }
      if (inOrder && !isRunningAndReady(pod) && ordinal !== firstUnhealthy) return
      await this.#delete(pass, pod)
      if (inOrder) return
    }
    if (set.spec.updateStrategy.type !== 'OnDelete') await this.#roll(pass, replicas)
  }

  /** Makes the pod of an ordinal when it is missing or has failed. */
  async #fill(pass: Pass, ordinal: number): Promise<'there' | 'moved'> {
    const { set, pods, signal } = pass
    const pod = pods.get(ordinal)
    if (pod && (pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded')) {
      if (isEnding(pod)) return 'there'
      const message = `StatefulSet ${set.metadata.namespace ?? ''}/${nameOf(set)} is recreating failed Pod ${nameOf(pod)}`
      this.deps.recorder.event(subjectOf(set), 'Warning', 'RecreatingFailedPod', message)
      await this.deps.pods.delete(pod, {}, signal)
      pods.delete(ordinal)
    } else if (pod) return 'there'
    const { template, revision } = this.#templateAt(pass, ordinal)
    for (const claimTemplate of set.spec.volumeClaimTemplates ?? []) {
      await this.#claim(pass, claimTemplate, ordinal)
    }
    const name = `${nameOf(set)}-${ordinal}`
    try {
      pods.set(ordinal, await this.deps.pods.create(podAt(set, template, revision, ordinal), signal))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const message = `create Pod ${name} in StatefulSet ${nameOf(set)} failed error: ${why}`
      this.deps.recorder.event(subjectOf(set), 'Warning', 'FailedCreate', message)
      throw error
    }
    const message = `create Pod ${name} in StatefulSet ${nameOf(set)} successful`
    this.deps.recorder.event(subjectOf(set), 'Normal', 'SuccessfulCreate', message)
    return 'moved'
  }

  /** Below the partition pods stay at the old revision. */
  #templateAt(
    { set, history, current }: Pass,
    ordinal: number,
  ): { template: Readonly<PodTemplateSpec>; revision: string } {
    const { type, rollingUpdate } = set.spec.updateStrategy
    const isOld = type !== 'OnDelete' && ordinal < (rollingUpdate?.partition ?? 0)
    if (!isOld || current === history.update) {
      return { template: set.spec.template, revision: nameOf(history.update) }
    }
    const { $patch: _directive, ...template } = current.data.spec.template as PodTemplateSpec & {
      $patch?: string
    }
    return { template, revision: nameOf(current) }
  }

  async #claim(
    { set, signal }: Pass,
    template: Readonly<PersistentVolumeClaim>,
    ordinal: number,
  ): Promise<void> {
    const wanted = claimAt(set, template, ordinal)
    if (this.deps.claims.get(set.metadata.namespace ?? '', nameOf(wanted))) return
    await this.deps.claims.create(wanted, signal)
    const message = `create Claim ${nameOf(wanted)} Pod ${nameOf(set)}-${ordinal} in StatefulSet ${nameOf(set)} success`
    this.deps.recorder.event(subjectOf(set), 'Normal', 'SuccessfulCreate', message)
  }

  async #roll({ set, history, pods, ...pass }: Pass, replicas: number): Promise<void> {
    const update = nameOf(history.update)
    const partition = set.spec.updateStrategy.rollingUpdate?.partition ?? 0
    for (let ordinal = replicas - 1; ordinal >= partition; ordinal--) {
      const pod = pods.get(ordinal)
      if (!pod) return
      if (revisionOf(pod) !== update && !isEnding(pod))
        return this.#delete({ set, history, pods, ...pass }, pod)
      if (!isHealthy(pod)) return
    }
  }

  async #delete({ set, signal }: Pass, pod: Readonly<Pod>): Promise<void> {
    await this.deps.pods.delete(pod, {}, signal)
    const message = `delete Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)} successful`
    this.deps.recorder.event(subjectOf(set), 'Normal', 'SuccessfulDelete', message)
  }

  async #report({ set, history, current, signal }: Pass): Promise<void> {
    const update = nameOf(history.update)
    let currentRevision = nameOf(current)
    let [replicas, ready, isCurrent, isUpdated] = [0, 0, 0, 0]
    for (const pod of this.#podsOf(set).values()) {
      replicas++
      if (isRunningAndReady(pod)) ready++
      if (isEnding(pod)) continue
      if (revisionOf(pod) === currentRevision) isCurrent++
      if (revisionOf(pod) === update) isUpdated++
    }
    const isRolling = set.spec.updateStrategy.type !== 'OnDelete'
    if (isRolling && isUpdated === replicas && ready === replicas && replicas === (set.spec.replicas ?? 1)) {
      currentRevision = update
      isCurrent = isUpdated
    }
    const status: StatefulSetStatus = {
      observedGeneration: set.metadata.generation ?? 0,
      replicas,
      currentRevision,
      updateRevision: update,
      collisionCount: set.status.collisionCount ?? 0,
    }
    const counts = { readyReplicas: ready, currentReplicas: isCurrent, updatedReplicas: isUpdated }
    const written = Object.fromEntries(Object.entries(counts).map(([field, n]) => [field, n || undefined]))
    await this.deps.sets.updateStatus(set, { ...status, ...written }, signal)
  }
}

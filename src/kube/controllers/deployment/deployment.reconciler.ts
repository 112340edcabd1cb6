/**
 * Rolls a Deployment's template out through ReplicaSets, one per state of the template.
 *
 * A pass ends after each kind of change; the watch brings the next.
 */
import { equal } from '../../../apimachinery/json/value.js'
import { controllerOf } from '../../../apimachinery/meta/accessors.js'
import { type EventRecorder, type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Clock } from '../../registry/clock.js'
import { selectorOf } from '../collections.js'
import { claim } from '../pods/claim.js'
import { subjectOf } from '../pods/create.js'
import { conditionOf, isEnding, isFinished } from '../pods/state.js'
import { type Stored } from '../stored.js'
import {
  byAge,
  createCurrent,
  currentAnnotations,
  nextRevision,
  replicaAnnotations,
  type Sets,
  sortOut,
} from './revisions.js'
import { currentSize, isScaling, rollingStep, scaled, type Scaling } from './scaling.js'
import { countedStatus, isComplete, pauseConditions, put, rolloutStatus, timeLeftMs } from './status.js'
import {
  type Deployment,
  type DeploymentStatus,
  NO_LIMIT,
  type ReplicaSet,
  REVISION,
  wantedReplicas,
} from './types.js'

export interface DeploymentDeps {
  deployments: Stored<Deployment>
  sets: Stored<ReplicaSet>
  pods: Stored<Pod>
  recorder: EventRecorder
  clock: Clock
}

export class DeploymentReconciler implements Reconciler {
  constructor(private readonly deps: DeploymentDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { deployments, clock } = this.deps
    const deployment = deployments.get(namespace, name)
    if (!deployment) return
    const selector = selectorOf(deployment.spec.selector)
    if (selector.isEmpty) return // It would take every pod of the namespace.
    const now = clock.now()
    const sets = sortOut(deployment, await claim(this.deps.sets, deployment, selector, signal))
    if (isEnding(deployment)) return this.#write(deployment, countedStatus(deployment, sets, now), signal)
    const conditions = pauseConditions(deployment, now)
    if (conditions) return this.#write(deployment, { ...deployment.status, conditions }, signal)
    if (deployment.spec.paused || isScaling(deployment, sets)) {
      const done = await this.#scale(deployment, scaled(deployment, sets), signal)
      if (deployment.spec.paused && done) await this.#forgetOld(deployment, sets, signal)
      return this.#write(deployment, countedStatus(deployment, this.#reread(deployment), now), signal)
    }
    if (deployment.spec.strategy.type === 'Recreate') return this.#recreate(deployment, sets, signal)
    const ready = await this.#current(deployment, sets, signal)
    if (!ready) return
    await this.#scale(deployment, rollingStep(deployment, ready), signal)
    return this.#finish(deployment, signal)
  }

  async #recreate(deployment: Readonly<Deployment>, sets: Sets, signal: AbortSignal): Promise<Result> {
    const active = sets.old.filter((set) => wantedReplicas(set) > 0)
    if (active.length > 0) {
      await this.#scale(
        deployment,
        active.map((set): Scaling => [set, 0]),
        signal,
      )
      return this.#finish(deployment, signal)
    }
    if (this.#oldPodsRun(sets.old)) return this.#finish(deployment, signal)
    const ready = await this.#current(deployment, sets, signal)
    if (!ready?.current) return
    const wanted = wantedReplicas(deployment)
    if (wantedReplicas(ready.current) !== wanted) {
      await this.#scale(deployment, [[ready.current, wanted]], signal)
    }
    return this.#finish(deployment, signal)
  }

  #oldPodsRun(old: readonly Readonly<ReplicaSet>[]): boolean {
    return old.some(({ metadata }) =>
      [...this.deps.pods.collection.ownedBy(metadata.uid ?? '')].some((pod) => !isFinished(pod)),
    )
  }

  /**
   * The ReplicaSet of the present template, made or brought up to date.
   *
   * @returns undefined when the Deployment itself was written: the next pass goes on
   */
  async #current(
    deployment: Readonly<Deployment>,
    sets: Sets,
    signal: AbortSignal,
  ): Promise<Sets | undefined> {
    const revision = nextRevision(sets.old)
    const known = sets.current
    if (!known) return this.#create(deployment, sets, revision, signal)
    const annotations = currentAnnotations(deployment, known, revision)
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0
    if (
      !equal(annotations, known.metadata.annotations ?? {}) ||
      minReadySeconds !== (known.spec.minReadySeconds ?? 0)
    ) {
      await this.deps.sets.update(
        known,
        (current) => {
          current.metadata.annotations = currentAnnotations(deployment, current, revision)
          if (minReadySeconds > 0) current.spec.minReadySeconds = minReadySeconds
          else delete current.spec.minReadySeconds
        },
        signal,
      )
    }
    const found = annotations[REVISION] ?? String(revision)
    const isAnnounced =
      conditionOf(deployment.status.conditions, 'Progressing') !== undefined ||
      deployment.spec.progressDeadlineSeconds === undefined ||
      deployment.spec.progressDeadlineSeconds === NO_LIMIT
    if (deployment.metadata.annotations?.[REVISION] !== found || !isAnnounced) {
      const message = `Found new replica set ${JSON.stringify(known.metadata.name)}`
      await this.#announce(deployment, found, 'FoundNewReplicaSet', message, signal)
      return undefined
    }
    return this.#reread(deployment)
  }

  async #create(
    deployment: Readonly<Deployment>,
    sets: Sets,
    revision: bigint,
    signal: AbortSignal,
  ): Promise<undefined> {
    const replicas = currentSize(deployment, sets.all, 0)
    const created = await createCurrent(this.deps.sets, deployment, replicas, revision, signal)
    if (!created) {
      const collisionCount = (deployment.status.collisionCount ?? 0) + 1
      await this.#write(deployment, { ...deployment.status, collisionCount }, signal)
      return undefined
    }
    if (replicas > 0) this.#tell(deployment, created, 'up', replicas)
    const message = `Created new replica set ${JSON.stringify(created.metadata.name)}`
    await this.#announce(deployment, String(revision), 'NewReplicaSetCreated', message, signal)
    return undefined
  }

  /** The revision is written on the Deployment, and its progress begins. */
  async #announce(
    deployment: Readonly<Deployment>,
    revision: string,
    reason: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const now = this.deps.clock.now()
    await this.deps.deployments.update(
      deployment,
      (current) => {
        current.metadata.annotations = { ...current.metadata.annotations, [REVISION]: revision }
        if ((current.spec.progressDeadlineSeconds ?? NO_LIMIT) === NO_LIMIT) return
        const known = conditionOf(current.status.conditions, 'Progressing')
        if (reason === 'FoundNewReplicaSet' && known) return
        const progressing = { type: 'Progressing', status: 'True', reason, message }
        current.status.conditions = put(current.status.conditions, now, progressing)
      },
      signal,
      'status',
    )
  }

  /** @returns whether there was nothing to do */
  async #scale(deployment: Readonly<Deployment>, scalings: Scaling[], signal: AbortSignal): Promise<boolean> {
    const sizing = replicaAnnotations(deployment)
    let moved = false
    for (const [set, replicas] of scalings) {
      const before = wantedReplicas(set)
      const { annotations = {} } = set.metadata
      if (before === replicas && Object.entries(sizing).every(([key, value]) => annotations[key] === value))
        continue
      await this.deps.sets.update(
        set,
        (current) => {
          current.spec.replicas = replicas
          current.metadata.annotations = { ...current.metadata.annotations, ...sizing }
        },
        signal,
      )
      moved = true
      if (before !== replicas) this.#tell(deployment, set, before < replicas ? 'up' : 'down', replicas)
    }
    return !moved
  }

  #tell(
    deployment: Readonly<Deployment>,
    set: Readonly<ReplicaSet>,
    way: 'up' | 'down',
    replicas: number,
  ): void {
    const message = `Scaled ${way} replica set ${set.metadata.name ?? ''} to ${replicas}`
    this.deps.recorder.event(subjectOf(deployment), 'Normal', 'ScalingReplicaSet', message)
  }

  /** As they are after what this pass has written. */
  #reread(deployment: Readonly<Deployment>): Sets {
    return sortOut(deployment, [...this.deps.sets.collection.ownedBy(deployment.metadata.uid ?? '')])
  }

  async #finish(deployment: Readonly<Deployment>, signal: AbortSignal): Promise<Result> {
    const now = this.deps.clock.now()
    const sets = this.#reread(deployment)
    const status = rolloutStatus(deployment, sets, now)
    if (isComplete(deployment, status)) await this.#forgetOld(deployment, sets, signal)
    await this.#write(deployment, status, signal)
    const { namespace = '', name = '' } = deployment.metadata
    const written = this.deps.deployments.get(namespace, name)
    const left = written && timeLeftMs(written, now)
    // A second more: times are written without their fraction.
    return left === undefined ? undefined : { requeueAfter: Math.max(0, left) + 1_000 }
  }

  async #write(
    deployment: Readonly<Deployment>,
    status: DeploymentStatus,
    signal: AbortSignal,
  ): Promise<undefined> {
    const fields: (keyof DeploymentStatus)[] = [
      ...(['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas'] as const),
      ...(['availableReplicas', 'unavailableReplicas', 'collisionCount', 'conditions'] as const),
    ]
    const whole = Object.fromEntries(fields.map((field) => [field, status[field]]))
    await this.deps.deployments.updateStatus(deployment, whole, signal)
    return undefined
  }

  async #forgetOld(deployment: Readonly<Deployment>, { old }: Sets, signal: AbortSignal): Promise<void> {
    const limit = deployment.spec.revisionHistoryLimit ?? 10
    const idle = old
      .filter((set) => !isEnding(set))
      .sort(byAge)
      .slice(0, Math.max(0, old.length - limit))
    for (const set of idle) {
      const { metadata, status } = set
      if ((status.replicas ?? 0) > 0 || wantedReplicas(set) > 0) continue
      if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) continue
      await this.deps.sets.delete(set, {}, signal)
    }
  }
}

/** The Deployment above a pod, found through its ReplicaSet: whoever recreates waits for the last pod to go. */
export function deploymentAbove(
  pod: Readonly<Pod>,
  sets: Stored<ReplicaSet>,
): { namespace: string; name: string } | undefined {
  const owner = controllerOf(pod)
  if (owner?.kind !== 'ReplicaSet') return undefined
  const { namespace = '' } = pod.metadata
  const set = sets.get(namespace, owner.name)
  const above = set && controllerOf(set)
  return above?.kind === 'Deployment' ? { namespace, name: above.name } : undefined
}

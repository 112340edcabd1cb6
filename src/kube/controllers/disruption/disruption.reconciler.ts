/** Works out how many pods a PodDisruptionBudget lets go now. */
import { controllerOf } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject, parseApiVersion } from '../../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type IntOrString, type LabelSelector, type Pod } from '../../builtin/types.js'
import { type Clock } from '../../registry/clock.js'
import { type Collection, type Collections, selectorOf } from '../collections.js'
import { shareOf } from '../intorpercent.js'
import { isEnding, isFinished, isReady } from '../pods/state.js'
import { type Stored } from '../stored.js'

export interface DisruptionBudget extends KubeObject {
  spec: { minAvailable?: IntOrString; maxUnavailable?: IntOrString; selector?: LabelSelector }
  status: {
    observedGeneration?: number
    disruptedPods?: Record<string, string>
    disruptionsAllowed?: number
    currentHealthy?: number
    desiredHealthy?: number
    expectedPods?: number
  }
}

export interface DisruptionDeps {
  budgets: Stored<DisruptionBudget>
  pods: Collection<Pod>
  collections: Collections
  clock: Clock
}

/** An eviction that was allowed and did not come is forgotten. */
const EVICTION_MS = 120_000

export class DisruptionReconciler implements Reconciler {
  constructor(private readonly deps: DisruptionDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<Result> {
    const { budgets, pods, clock } = this.deps
    const budget = budgets.get(namespace, name)
    if (!budget) return
    const selected = pods
      .select(namespace, selectorOf(budget.spec.selector))
      .filter((pod) => !isFinished(pod))
    const { expected, desired } = this.#wanted(budget, selected)
    const disrupted: Record<string, string> = {}
    let soonest = Infinity
    for (const [pod, time] of Object.entries(budget.status.disruptedPods ?? {})) {
      const left = Date.parse(time) + EVICTION_MS - clock.now()
      const known = selected.find(({ metadata }) => metadata.name === pod)
      if (left <= 0 || !known || isEnding(known)) continue
      disrupted[pod] = time
      soonest = Math.min(soonest, left)
    }
    const healthy = selected.filter(
      (pod) => isReady(pod) && !isEnding(pod) && disrupted[pod.metadata.name ?? ''] === undefined,
    ).length
    await budgets.updateStatus(
      budget,
      {
        observedGeneration: budget.metadata.generation,
        disruptedPods: Object.keys(disrupted).length > 0 ? disrupted : undefined,
        disruptionsAllowed: expected > 0 ? Math.max(0, healthy - desired) : 0,
        currentHealthy: healthy,
        desiredHealthy: desired,
        expectedPods: expected,
      },
      signal,
    )
    return soonest === Infinity ? undefined : { requeueAfter: soonest }
  }

  #wanted(
    { spec }: Readonly<DisruptionBudget>,
    pods: readonly Readonly<Pod>[],
  ): { expected: number; desired: number } {
    const { minAvailable, maxUnavailable } = spec
    if (maxUnavailable !== undefined) {
      const expected = this.#expected(pods)
      return { expected, desired: Math.max(0, expected - shareOf(maxUnavailable, expected, 'up')) }
    }
    if (typeof minAvailable === 'string') {
      const expected = this.#expected(pods)
      return { expected, desired: shareOf(minAvailable, expected, 'up') }
    }
    return { expected: pods.length, desired: minAvailable ?? 0 }
  }

  /** How many there should be, as the controllers of the pods say; pods without one count as themselves. */
  #expected(pods: readonly Readonly<Pod>[]): number {
    const seen = new Set<string>()
    let expected = 0
    for (const pod of pods) {
      const { uid, scale } = this.#above(pod)
      if (!seen.has(uid)) expected += scale
      seen.add(uid)
    }
    return expected
  }

  #above(pod: Readonly<Pod>): { uid: string; scale: number } {
    let at: Readonly<KubeObject> = pod
    let scale = 1
    for (let depth = 0; depth < 3; depth++) {
      const owner = controllerOf(at)
      const resource = owner && RESOURCES[owner.kind]
      const group = owner && parseApiVersion(owner.apiVersion)?.group
      if (!owner || resource === undefined || group === undefined) break
      const found = this.deps.collections.of(group, resource).get(pod.metadata.namespace ?? '', owner.name)
      if (found?.metadata.uid !== owner.uid) break
      at = found
      scale = (found as { spec?: { replicas?: number } }).spec?.replicas ?? 1
    }
    return { uid: at.metadata.uid ?? '', scale }
  }
}

const RESOURCES: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets',
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  ReplicationController: 'replicationcontrollers',
}

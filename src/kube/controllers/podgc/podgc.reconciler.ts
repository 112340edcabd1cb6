/** Removes pods that nobody else will: of nodes that are gone, or deleted before they had a node. */
import { type Reconciler, type Request, type Result } from '../../../controller/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Clock } from '../../registry/clock.js'
import { type Node } from '../../scheduling/types.js'
import { type Collection } from '../collections.js'
import { isEnding } from '../pods/state.js'
import { type Stored } from '../stored.js'

export interface PodGcDeps {
  pods: Stored<Pod>
  podsOn: (node: string) => ReadonlySet<Readonly<Pod>>
  nodes: Collection<Node>
  clock: Clock
}

/** A node may come back under its name. */
const QUARANTINE_MS = 40_000

/** Requests name nodes. */
export class PodGcReconciler implements Reconciler {
  readonly #missingSince = new Map<string, number>()

  constructor(private readonly deps: PodGcDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { pods, podsOn, nodes, clock } = this.deps
    if (name === '') {
      const left = [...podsOn('')].filter(isEnding)
      for (const pod of left) await pods.delete(pod, { gracePeriodSeconds: 0 }, signal)
      return
    }
    if (nodes.get('', name) || podsOn(name).size === 0) {
      this.#missingSince.delete(name)
      return
    }
    const since = this.#missingSince.get(name) ?? clock.now()
    this.#missingSince.set(name, since)
    const left = since + QUARANTINE_MS - clock.now()
    if (left > 0) return { requeueAfter: left }
    for (const pod of [...podsOn(name)]) await pods.delete(pod, { gracePeriodSeconds: 0 }, signal)
    this.#missingSince.delete(name)
  }
}

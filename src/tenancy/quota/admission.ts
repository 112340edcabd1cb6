/**
 * Whether an object may be created or changed, as far as quotas go (iam-tenant.md §8).
 *
 * Pure: quotas come with what is used already, and the answer says what is used afterwards. To make sure that two
 * requests at once do not both get the last place is for the caller.
 */
import { type Quantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { add, type Amounts, listed, pick, subtract } from './amounts.js'
import { evaluatorOf } from './evaluators.js'
import { type GroupResource } from './objects.js'
import { countsTowards, type Quota } from './quotas.js'

export interface Asked<Q extends Quota> {
  type: GroupResource
  object: Readonly<KubeObject>
  /** The state before, of an update. */
  before?: Readonly<KubeObject> | undefined
  quotas: readonly Q[]
  now: number
}

/** The first reason against it, for a 403; or what the object adds to the quotas, of which `delta` is never empty. */
export type Verdict<Q extends Quota> =
  | { refusal: string }
  | { refusal?: undefined; charges: readonly { quota: Q; delta: Amounts; used: Amounts }[] }

/** @throws InvalidQuantity when the object holds none that can be read */
export function judge<Q extends Quota>({ type, object, before, quotas, now }: Asked<Q>): Verdict<Q> {
  const evaluator = evaluatorOf(type)
  const charges: { quota: Q; delta: Amounts; used: Amounts }[] = []
  for (const quota of quotas) {
    if (!countsTowards(quota, evaluator, object)) continue
    const covered = [...quota.hard.keys()].filter((name) => evaluator.covers(name))
    const missing = evaluator.unspecified(object, covered)
    if (missing.length > 0)
      return { refusal: `failed quota: ${quota.name}: must specify ${missing.join(',')}` }
    const { used } = quota
    if (used === undefined || covered.some((name) => !used.has(name)))
      return { refusal: `status unknown for quota: ${quota.name}` }

    const usage = evaluator.usage(object, now)
    const had = before && countsTowards(quota, evaluator, before) ? evaluator.usage(before, now) : new Map()
    const change = subtract(pick(usage, covered), pick(had as Amounts, covered))
    const delta = only(change, ({ sign }) => sign !== 0)
    const after = add(used, delta)
    // What gives something back passes, however much too much there was.
    const asked = only(delta, ({ sign }) => sign > 0)
    const exceeded = [...asked.keys()].filter((name) => {
      const [will, may] = [after.get(name), quota.hard.get(name)]
      return will !== undefined && may !== undefined && will.compare(may) > 0
    })
    if (exceeded.length > 0) {
      const [requested, taken, limited] = [asked, used, quota.hard].map((all) => listed(pick(all, exceeded)))
      return {
        refusal: `exceeded quota: ${quota.name}, requested: ${requested ?? ''}, used: ${taken ?? ''}, limited: ${limited ?? ''}`,
      }
    }
    if (delta.size > 0) charges.push({ quota, delta, used: after })
  }
  return { charges }
}

function only(amounts: Amounts, keep: (amount: Quantity) => boolean): Map<string, Quantity> {
  return new Map([...amounts].filter(([, amount]) => keep(amount)))
}

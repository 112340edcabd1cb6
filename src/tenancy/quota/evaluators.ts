/** How much of a quota an object takes, by its resource. */
import { type Quantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { ONE } from './amounts.js'
import {
  claimUsage,
  countedBy,
  countNames,
  type GroupResource,
  isOfClaims,
  isOfServices,
  serviceUsage,
} from './objects.js'
import { isOfPods, podIsInScope, podUsage, unspecified } from './pods.js'

export interface Evaluator {
  /** Whether a quota's name is about objects of this resource. */
  covers(name: string): boolean
  /** @throws InvalidQuantity */
  usage(object: Readonly<KubeObject>, now: number): Map<string, Quantity>
  /** Only pods are in scopes: no other object counts towards a quota that has any. */
  isInScope(
    object: Readonly<KubeObject>,
    scope: string,
    operator?: string,
    values?: readonly string[],
  ): boolean
  /** What the object would have to say and does not. */
  unspecified(object: Readonly<KubeObject>, hard: Iterable<string>): string[]
}

const UNSCOPED = { isInScope: () => false, unspecified: () => [] }

const PODS: Evaluator = {
  covers: isOfPods,
  usage: (object, now) => podUsage(object, now),
  isInScope: (object, ...scope) => podIsInScope(object, ...scope),
  unspecified: (object, hard) => unspecified(object, hard),
}

const SERVICES: Evaluator = { covers: isOfServices, usage: (object) => serviceUsage(object), ...UNSCOPED }
const CLAIMS: Evaluator = { covers: isOfClaims, usage: (object) => claimUsage(object), ...UNSCOPED }

const SPECIAL: Readonly<Record<string, Evaluator>> = {
  pods: PODS,
  services: SERVICES,
  persistentvolumeclaims: CLAIMS,
}

/** Objects without a rule of their own are counted. */
export function evaluatorOf(type: GroupResource): Evaluator {
  const special = type.group === '' ? SPECIAL[type.resource] : undefined
  if (special) return special
  const names = countNames(type)
  return {
    covers: (name) => names.includes(name),
    usage: () => new Map(names.map((name) => [name, ONE])),
    ...UNSCOPED,
  }
}

/** The resources that quotas with these names are about, each once; names nobody knows are about none. */
export function resourcesOf(names: Iterable<string>): GroupResource[] {
  const found = new Map<string, GroupResource>()
  for (const name of names) {
    const special = Object.entries(SPECIAL).find(([, evaluator]) => evaluator.covers(name))
    const type = special ? { group: '', resource: special[0] } : countedBy(name)
    if (type) found.set(`${type.resource}.${type.group}`, type)
  }
  return [...found.values()]
}

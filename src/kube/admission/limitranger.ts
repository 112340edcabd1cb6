/**
 * LimitRanger: what containers leave open is filled in from the namespace's LimitRanges, and what goes beyond them is
 * refused. Claims are held to theirs as well.
 */
import { parseQuantity, Quantity } from '../../apimachinery/quantity/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { containersOf } from '../builtin/pods/defaults.js'
import { type Container, type PersistentVolumeClaim, type Pod } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { isAbout, joined, refusal } from './refusal.js'

type Resources = Readonly<Record<string, string>>

interface Limit {
  type: string
  max?: Resources
  min?: Resources
  default?: Resources
  defaultRequest?: Resources
  maxLimitRequestRatio?: Resources
}

interface LimitRange extends KubeObject {
  spec?: { limits?: Limit[] }
}

const ANNOTATION = 'kubernetes.io/limit-ranger'

export function limitRanger(objects: Objects): AdmissionPlugin {
  const limitsIn = (namespace: string): Limit[][] =>
    objects.sharedList<LimitRange>('', 'limitranges', namespace).map(({ spec }) => spec?.limits ?? [])
  return {
    name: 'LimitRanger',
    admit(request) {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'pods') || !request.object) return
      for (const limits of limitsIn(request.namespace)) fillIn(request.object as Pod, limits)
    },
    validate(request) {
      const faultsOf = checkFor(request)
      if (!faultsOf) return
      for (const limits of limitsIn(request.namespace)) {
        const faults = limits.flatMap(faultsOf)
        if (faults.length > 0) throw refusal(request, joined(faults))
      }
    },
  }
}

/** Containers of a pod never change in size, so only new pods are looked at. */
function checkFor(request: AdmissionRequest): ((limit: Limit) => string[]) | undefined {
  const { operation, object } = request
  if (!object || object.metadata.deletionTimestamp) return undefined
  if (operation === 'CREATE' && isAbout(request, '', 'pods')) {
    return (limit) => podFaults(object as Pod, limit)
  }
  const isWrite = operation === 'CREATE' || operation === 'UPDATE'
  if (!isWrite || !isAbout(request, '', 'persistentvolumeclaims')) return undefined
  return (limit) => claimFaults(object as PersistentVolumeClaim, limit)
}

/** Puts defaults where a container says nothing, and notes what was put where. */
function fillIn(pod: Pod, limits: readonly Limit[]): void {
  const defaults = limits.filter(({ type }) => type === 'Container')
  const requests = Object.assign({}, ...defaults.map((limit) => limit.defaultRequest)) as Resources
  const maxima = Object.assign({}, ...defaults.map((limit) => limit.default)) as Resources
  const notes = [
    ...(pod.spec.containers ?? []).flatMap((each) => complete(each, 'container', requests, maxima)),
    ...(pod.spec.initContainers ?? []).flatMap((each) => complete(each, 'init container', requests, maxima)),
  ]
  if (notes.length === 0) return
  const note = `LimitRanger plugin set: ${notes.join('; ')}`
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: note }
}

function complete(container: Container, what: string, requests: Resources, maxima: Resources): string[] {
  const notes: string[] = []
  for (const [kind, word, defaults] of [
    ['requests', 'request', requests],
    ['limits', 'limit', maxima],
  ] as const) {
    const given = container.resources[kind] ?? {}
    const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(given, name))
    if (missing.length === 0) continue
    const added = missing.map((name) => [name, defaults[name]] as const)
    container.resources[kind] = { ...given, ...(Object.fromEntries(added) as Record<string, string>) }
    notes.push(`${missing.sort().join(', ')} ${word} for ${what} ${container.name}`)
  }
  return notes
}

interface Usage {
  requests: ReadonlyMap<string, Quantity>
  limits: ReadonlyMap<string, Quantity>
}

function podFaults(pod: Pod, limit: Limit): string[] {
  if (limit.type === 'Pod') return faultsOf(usageOfPod(pod), limit)
  if (limit.type !== 'Container') return []
  return containersOf(pod.spec).flatMap((container) => faultsOf(usageOf(container), limit))
}

function claimFaults({ spec }: PersistentVolumeClaim, limit: Limit): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return []
  const requests = quantities(spec.resources.requests)
  return [
    ...each(limit.min, (name, bound) => tooSmall(limit.type, name, bound, requests.get(name), undefined)),
    ...each(limit.max, (name, bound) => {
      const text = `maximum ${name} usage per ${limit.type} is ${bound.toString()}`
      const request = requests.get(name)
      if (!request) return `${text}.  No request is specified`
      return request.compare(bound) > 0 ? `${text}, but request is ${request.toString()}` : undefined
    }),
  ]
}

function faultsOf({ requests, limits }: Usage, limit: Limit): string[] {
  const { type } = limit
  return [
    ...each(limit.min, (name, bound) => tooSmall(type, name, bound, requests.get(name), limits.get(name))),
    ...each(limit.max, (name, bound) => tooLarge(type, name, bound, requests.get(name), limits.get(name))),
    ...each(limit.maxLimitRequestRatio, (name, bound) =>
      tooWide(type, name, bound, requests.get(name), limits.get(name)),
    ),
  ]
}

function each(
  bounds: Resources | undefined,
  check: (name: string, bound: Quantity) => string | undefined,
): string[] {
  return Object.entries(bounds ?? {}).flatMap(([name, text]) => check(name, parseQuantity(text)) ?? [])
}

type Amount = Quantity | undefined

function tooSmall(type: string, name: string, bound: Quantity, request: Amount, limit: Amount) {
  const text = `minimum ${name} usage per ${type} is ${bound.toString()}`
  if (!request) return `${text}.  No request is specified`
  if (request.compare(bound) < 0) return `${text}, but request is ${request.toString()}`
  if (limit && limit.compare(bound) < 0) return `${text}, but limit is ${limit.toString()}`
  return undefined
}

function tooLarge(type: string, name: string, bound: Quantity, request: Amount, limit: Amount) {
  const text = `maximum ${name} usage per ${type} is ${bound.toString()}`
  if (!limit) return `${text}.  No limit is specified`
  if (limit.compare(bound) > 0) return `${text}, but limit is ${limit.toString()}`
  if (request && request.compare(bound) > 0) return `${text}, but request is ${request.toString()}`
  return undefined
}

function tooWide(type: string, name: string, bound: Quantity, request: Amount, limit: Amount) {
  const text = `${name} max limit to request ratio per ${type} is ${bound.toString()}`
  if (!request || request.isZero) return `${text}, but no request is specified or request is 0`
  if (!limit || limit.isZero) return `${text}, but no limit is specified or limit is 0`
  const ratio = limit.toNumber() / request.toNumber()
  return ratio > bound.toNumber() ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

function quantities(written: Resources = {}): Map<string, Quantity> {
  return new Map(Object.entries(written).map(([name, text]) => [name, parseQuantity(text)]))
}

function usageOf({ resources }: Container): Usage {
  return { requests: quantities(resources.requests), limits: quantities(resources.limits) }
}

/** Containers together, or the largest init container where that needs more: they run before. */
function usageOfPod({ spec }: Pod): Usage {
  const [init, main] = [spec.initContainers ?? [], spec.containers ?? []].map((list) => list.map(usageOf))
  const total = (kind: keyof Usage): Map<string, Quantity> => {
    const sum = new Map<string, Quantity>()
    for (const usage of main ?? [])
      for (const [name, amount] of usage[kind]) sum.set(name, (sum.get(name) ?? Quantity.of(0)).add(amount))
    for (const usage of init ?? []) {
      for (const [name, amount] of usage[kind]) {
        const known = sum.get(name)
        if (!known || known.compare(amount) < 0) sum.set(name, amount)
      }
    }
    return sum
  }
  return { requests: total('requests'), limits: total('limits') }
}

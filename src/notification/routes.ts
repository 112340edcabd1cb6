/** Routers, read once: whom their alerts go to, whatever namespaces say. */
import { isObject } from '../apimachinery/json/index.js'
import { type Target } from './directory.js'
import { type AlertTest, alertTest, expressionOf } from './objects/alertselector.js'
import { type AlertSelector, type NotificationObject } from './objects/types.js'

export interface Route {
  isFor: AlertTest
  targets: () => readonly Target[]
}

/** @returns undefined for a router that cannot be read */
export function routeOf(
  { spec = {} }: Readonly<NotificationObject>,
  all: readonly Target[],
): Route | undefined {
  const { alertSelector } = spec
  if (!isObject(alertSelector)) return undefined
  const isFor = orNothing(() => alertTest(alertSelector as AlertSelector))
  const receivers = isObject(spec['receivers']) ? spec['receivers'] : {}
  let found: readonly Target[] | undefined
  return isFor && { isFor, targets: () => (found ??= chosen(receivers, all)) }
}

function chosen(
  { name, regexName, selector, channels, type }: Readonly<Record<string, unknown>>,
  all: readonly Target[],
): Target[] {
  const names = new Set(Array.isArray(name) ? (name as unknown[]) : [])
  const pattern =
    typeof regexName === 'string' && regexName !== '' ? orNothing(() => expressionOf(regexName)) : undefined
  const byLabels = isObject(selector) ? orNothing(() => alertTest(selector as AlertSelector)) : undefined
  const tenants = Array.isArray(channels) ? channels.filter(isObject) : []
  return all.filter((target) => {
    const isType = type === undefined || type === '' || type === target.channel
    const isNamed = names.has(target.receiver) || pattern?.test(target.receiver) || byLabels?.(target.labels)
    if (isNamed && isType) return true
    return tenants.some(
      ({ tenant, type: types }) =>
        tenant === target.tenant && (!Array.isArray(types) || types.includes(target.channel)),
    )
  })
}

/** What cannot be read matches nothing: better one message too few than to everybody. */
export function orNothing<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

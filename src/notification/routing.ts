/** Who is told of an alert: silences, routers, namespaces and selectors, in the order of the original's pipeline. */
import { isObject } from '../apimachinery/json/index.js'
import { type Directory, type Target } from './directory.js'
import { type Alert } from './message/alerts.js'
import { alertTest, expressionOf } from './objects/alertselector.js'
import { isInForce, type SilenceSpec } from './objects/schedule.js'
import { type AlertSelector } from './objects/types.js'

/** Which of the users are tenants of the namespace: those who may see it. */
export type TenantsOf = (namespace: string, users: readonly string[]) => Promise<readonly string[]>

export interface Routed {
  target: Target
  /** Why the target is not told, when it is not. */
  muted?: 'silence' | 'selector'
}

export class Router {
  constructor(
    private readonly directory: Directory,
    private readonly tenantsOf: TenantsOf,
    private readonly now: () => Date,
  ) {}

  /** Of several alerts, each target once an alert. */
  async route(alert: Alert): Promise<{ silenced: boolean; to: Routed[] }> {
    if (this.#isSilenced(alert, '')) return { silenced: true, to: [] }
    const { routePolicy = 'All' } = this.directory.manager()
    const all = this.directory.targets()
    const chosen = new Map<string, Target>()
    const add = (target: Target): void => {
      chosen.set(`${target.receiver}/${target.channel}`, target)
    }
    for (const target of this.#byRouters(alert, all)) add(target)
    if (routePolicy === 'All' || (routePolicy === 'RouterFirst' && chosen.size === 0))
      for (const target of await this.#byNamespace(alert, all)) add(target)
    return { silenced: false, to: [...chosen.values()].map((target) => this.#judged(alert, target)) }
  }

  #judged(alert: Alert, target: Target): Routed {
    if (target.tenant !== '' && this.#isSilenced(alert, target.tenant)) return { target, muted: 'silence' }
    return matches(target.spec.alertSelector, alert) ? { target } : { target, muted: 'selector' }
  }

  #isSilenced(alert: Alert, tenant: string): boolean {
    return this.directory.silences(tenant).some(({ spec = {} }) => {
      const { matcher } = spec as SilenceSpec
      return isInForce(spec, this.now()) && matcher !== undefined && matches(matcher, alert)
    })
  }

  async #byNamespace(alert: Alert, all: readonly Target[]): Promise<Target[]> {
    const { namespace } = alert.labels
    const users = [...new Set(all.map(({ tenant }) => tenant))].filter((user) => user !== '')
    const tenants = new Set(namespace && users.length > 0 ? await this.tenantsOf(namespace, users) : [])
    return all.filter(({ tenant }) => tenant === '' || tenants.has(tenant))
  }

  #byRouters(alert: Alert, all: readonly Target[]): Target[] {
    return this.directory.routers().flatMap(({ spec = {} }) => {
      if (!isObject(spec['alertSelector']) || !matches(spec['alertSelector'], alert)) return []
      const { name, regexName, selector, channels, type } = isObject(spec['receivers'])
        ? spec['receivers']
        : {}
      const names = new Set(Array.isArray(name) ? name : [])
      const pattern =
        typeof regexName === 'string' && regexName !== '' ? safely(() => expressionOf(regexName)) : undefined
      const byLabels = isObject(selector) ? safely(() => alertTest(selector as AlertSelector)) : undefined
      const tenants = Array.isArray(channels) ? channels.filter(isObject) : []
      return all.filter((target) => {
        const isType = type === undefined || type === '' || type === target.channel
        const isNamed =
          names.has(target.receiver) || pattern?.test(target.receiver) || byLabels?.(target.labels)
        if (isNamed && isType) return true
        return tenants.some(
          ({ tenant, type: types }) =>
            tenant === target.tenant && (!Array.isArray(types) || types.includes(target.channel)),
        )
      })
    })
  }
}

/** A selector that cannot be read matches nothing: better one message too few than to everybody. */
function matches(selector: AlertSelector | undefined, { labels }: Alert): boolean {
  return safely(() => alertTest(selector))?.(labels) ?? false
}

function safely<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

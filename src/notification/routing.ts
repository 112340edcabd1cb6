/** Who is told of an alert: silences, routers, namespaces and selectors, in the order of the original's pipeline. */
import { type Directory, type Target } from './directory.js'
import { type Alert } from './message/alerts.js'
import { type AlertTest, alertTest } from './objects/alertselector.js'
import { type Route, orNothing, routeOf } from './routes.js'
import { isInForce, type SilenceSpec } from './objects/schedule.js'
import { type AlertSelector } from './objects/types.js'

/** Which of the users are tenants of the namespace: those who may see it. */
export type TenantsOf = (namespace: string, users: readonly string[]) => Promise<readonly string[]>

export interface Routed {
  target: Target
  /** Why the target is not told, when it is not. */
  muted?: 'silence' | 'selector'
}

/** Everything that routing reads, put in order once for all alerts until something changes. */
interface Plan {
  revision: string
  routes: readonly Route[]
  global: readonly Target[]
  byTenant: ReadonlyMap<string, readonly Target[]>
  silences: Map<string, readonly SilenceSpec[]>
}

/** How long it may take until a new member of a namespace is told of its alerts. */
const MEMBERS_MS = 5_000
const MOST_NAMESPACES = 10_000

export class Router {
  #plan: Plan | undefined
  readonly #tests = new WeakMap<AlertSelector, AlertTest | undefined>()
  readonly #members = new Map<
    string,
    { users: Promise<readonly string[]>; until: number; revision: string }
  >()

  constructor(
    private readonly directory: Directory,
    private readonly tenantsOf: TenantsOf,
    private readonly now: () => Date,
  ) {}

  /** Of several alerts, each target once an alert. */
  async route(alert: Alert): Promise<{ silenced: boolean; to: Routed[] }> {
    if (this.#isSilenced(alert, '')) return { silenced: true, to: [] }
    const { routePolicy = 'All' } = this.directory.manager()
    const chosen = new Map<string, Target>()
    const add = (target: Target): void => {
      chosen.set(`${target.receiver}/${target.channel}`, target)
    }
    for (const { isFor, targets } of this.#planned().routes)
      if (isFor(alert.labels)) for (const target of targets()) add(target)
    if (routePolicy === 'All' || (routePolicy === 'RouterFirst' && chosen.size === 0))
      for (const target of await this.#byNamespace(alert)) add(target)
    return { silenced: false, to: [...chosen.values()].map((target) => this.#judged(alert, target)) }
  }

  #judged(alert: Alert, target: Target): Routed {
    if (target.tenant !== '' && this.#isSilenced(alert, target.tenant)) return { target, muted: 'silence' }
    return this.#matches(target.spec.alertSelector, alert) ? { target } : { target, muted: 'selector' }
  }

  #isSilenced(alert: Alert, tenant: string): boolean {
    const { silences } = this.#planned()
    const known =
      silences.get(tenant) ?? this.directory.silences(tenant).map(({ spec = {} }) => spec as SilenceSpec)
    silences.set(tenant, known)
    return known.some(
      (spec) =>
        spec.matcher !== undefined && this.#matches(spec.matcher, alert) && isInForce(spec, this.now()),
    )
  }

  async #byNamespace({ labels: { namespace } }: Alert): Promise<readonly Target[]> {
    const { global, byTenant, revision } = this.#planned()
    if (!namespace || byTenant.size === 0) return global
    const now = this.now().getTime()
    let members = this.#members.get(namespace)
    if (members === undefined || members.until < now || members.revision !== revision) {
      if (this.#members.size >= MOST_NAMESPACES) this.#members.clear()
      members = { users: this.tenantsOf(namespace, [...byTenant.keys()]), until: now + MEMBERS_MS, revision }
      this.#members.set(namespace, members)
      members.users.catch(() => this.#members.delete(namespace))
    }
    return [...global, ...(await members.users).flatMap((user) => byTenant.get(user) ?? [])]
  }

  #planned(): Plan {
    const { revision } = this.directory
    if (this.#plan?.revision === revision) return this.#plan
    const targets = this.directory.targets()
    const byTenant = new Map<string, Target[]>()
    for (const target of targets) {
      if (target.tenant === '') continue
      const own = byTenant.get(target.tenant)
      if (own) own.push(target)
      else byTenant.set(target.tenant, [target])
    }
    const global = targets.filter(({ tenant }) => tenant === '')
    const routes = this.directory.routers().flatMap((router) => routeOf(router, targets) ?? [])
    return (this.#plan = { revision, routes, global, byTenant, silences: new Map() })
  }

  /** A selector that cannot be read matches nothing: better one message too few than to everybody. */
  #matches(selector: AlertSelector | undefined, { labels }: Alert): boolean {
    if (selector === undefined) return true
    if (!this.#tests.has(selector))
      this.#tests.set(
        selector,
        orNothing(() => alertTest(selector)),
      )
    return this.#tests.get(selector)?.(labels) ?? false
  }
}

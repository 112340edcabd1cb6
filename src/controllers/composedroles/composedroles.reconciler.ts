/**
 * Roles that are composed of others follow them: when a part changes or goes, so do the rights of whoever holds the
 * whole. The original kept the rules of the moment in which a role was written.
 *
 * Only roles are followed whose rules have been seen to be those of their parts. Rules that somebody wrote by hand, or
 * that an older release left, stay as they are, whatever the annotation says; and so do the roles that ship.
 */
import { type RoleKind } from '../../authorization/objects.js'
import { type PolicyRule } from '../../authorization/rules.js'
import { type Change } from '../../client/cache/interface.js'
import { type CachedResource } from '../../client/cachedresource.js'
import { type Reconciler, type Request, type Source, type Stored, storedIn } from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { AGGREGATION, WORKSPACE } from '../../tenancy/names.js'
import { composedRules, isShipped, isTemplate, sameRules, servesWorkspace } from '../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

type Role = Readonly<RoleObject>

export class ComposedRolesReconciler implements Reconciler {
  readonly #roles: Stored<RoleObject>
  /** Composed roles of tenants, by their parts. */
  readonly #byPart: Mentions<RoleObject>
  /** Keys of those whose rules are, or were until a part changed, those of their parts. */
  readonly #following = new Set<string>()

  constructor(
    kind: RoleKind,
    private readonly resource: CachedResource<RoleObject>,
    private readonly tell: Tell,
  ) {
    this.#roles = storedIn(resource)
    this.#byPart = new Mentions(
      resource,
      (role) => (isShipped(kind, role) || isTemplate(role) ? [] : aggregatedNames(role, AGGREGATION)),
      AGGREGATION,
    )
  }

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const role = this.#roles.get(name, namespace)
    if (
      role === undefined ||
      role.metadata.deletionTimestamp ||
      !this.#following.has(keyOf({ namespace, name }))
    )
      return
    const rules = this.#rulesOf(role)
    if (sameRules(role.rules, rules)) return
    if (await this.#roles.commit(role, { ...role, rules }, signal)) this.tell(role)
  }

  /** To be started when all roles are known. */
  readonly source: Source = (enqueue) => {
    for (const role of this.#byPart.all()) this.#look(role)
    return this.resource.informer.onChange((change) => {
      const { namespace, name } = change.object
      if (this.#isRewritten(change)) this.#look({ namespace, name })
      for (const { metadata } of this.#byPart.of(name)) {
        const whole = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
        const isNear = whole.namespace === namespace && whole.name !== name
        if (isNear && this.#following.has(keyOf(whole))) enqueue(whole)
      }
    })
  }

  /** A new label says nothing about the rules, which may be about to follow a part. */
  #isRewritten({ object, previous }: Change<never>): boolean {
    if (this.#byPart.in(object).length === 0 || previous === undefined) return true
    const [before, after] = [previous, object].map((cached) => this.resource.object(cached))
    return !sameRules(before?.rules, after?.rules)
  }

  /** Whoever writes a role decides whether it follows: by writing the rules of its parts, or others. */
  #look(where: Request): void {
    const role =
      this.#byPart.in(where).length === 0 ? undefined : this.#roles.get(where.name, where.namespace)
    if (role && sameRules(role.rules, this.#rulesOf(role))) this.#following.add(keyOf(where))
    else this.#following.delete(keyOf(where))
  }

  #rulesOf({ metadata }: Role): PolicyRule[] {
    const workspace = metadata.labels?.[WORKSPACE]
    const parts = aggregatedNames({ metadata }, AGGREGATION).flatMap((name) => {
      const part = this.#roles.get(name, metadata.namespace)
      return part && (workspace === undefined || servesWorkspace(part, workspace)) ? [part] : []
    })
    return composedRules(parts)
  }
}

const keyOf = ({ namespace, name }: Request): string => `${namespace}/${name}`

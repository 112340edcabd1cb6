/**
 * Roles that are composed of others follow them: when a part changes or goes, so do the rights of whoever holds the
 * whole. The original kept the rules of the moment in which a role was written.
 *
 * Only roles are followed whose rules are those of their parts, now or when they were composed last, which an annotation
 * says: so a change is caught up with that nobody was there to see. Rules that somebody wrote by hand, or that an older
 * release left, stay as they are; and so do the roles that ship.
 */
import { type RoleKind } from '../../authorization/objects.js'
import { type PolicyRule } from '../../authorization/rules.js'
import { type CachedResource } from '../../client/cachedresource.js'
import { type Reconciler, type Request, type Source, type Stored, storedIn } from '../../controller/index.js'
import { Mentions } from '../../tenancy/mentions.js'
import { AGGREGATION, COMPOSED, WORKSPACE } from '../../tenancy/names.js'
import {
  composedMark,
  composedRules,
  isAsComposed,
  isShipped,
  isTemplate,
  sameRules,
  servesWorkspace,
} from '../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../tenancy/types.js'
import { type Tell } from '../telling.js'

type Role = Readonly<RoleObject>

export class ComposedRolesReconciler implements Reconciler {
  readonly #roles: Stored<RoleObject>
  /** Composed roles of tenants, by their parts. */
  readonly #byPart: Mentions<RoleObject>

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
    if (role === undefined || role.metadata.deletionTimestamp) return
    if (this.#byPart.in({ namespace, name }).length === 0) return
    const rules = this.#rulesOf(role)
    const isSame = sameRules(role.rules, rules)
    if (!isSame && !isAsComposed(role)) return
    const annotations = { ...role.metadata.annotations, [COMPOSED]: composedMark(rules) }
    const after = { ...role, rules, metadata: { ...role.metadata, annotations } }
    if ((await this.#roles.commit(role, after, signal)) && !isSame) this.tell(role)
  }

  /** To be started when all roles are known. */
  readonly source: Source = (enqueue) => {
    for (const role of this.#byPart.all()) enqueue(role)
    return this.resource.informer.onChange(({ object: { namespace, name } }) => {
      if (this.#byPart.in({ namespace, name }).length > 0) enqueue({ namespace, name })
      for (const { metadata } of this.#byPart.of(name)) {
        const whole = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
        if (whole.namespace === namespace && whole.name !== name) enqueue(whole)
      }
    })
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

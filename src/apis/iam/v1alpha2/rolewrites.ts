/**
 * Writes of roles, the same at all levels.
 *
 * Whatever a write rests on is read from the API rather than from a cache, and the write carries the version that
 * was read: nobody can change the role in between.
 */
import { badRequest, notFound, StatusError } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { type PolicyRule } from '../../../authorization/rules.js'
import { retrying } from '../../../client/conflicts.js'
import { AGGREGATION, COMPOSED, WORKSPACE } from '../../../tenancy/names.js'
import { type TenancyResources } from '../../../tenancy/resources.js'
import { composedMark, isVital } from '../../../tenancy/roles.js'
import { aggregatedNames, type RoleObject } from '../../../tenancy/types.js'
import { type RoleComposition } from './rolecomposition.js'
import { belongs, missingRole, type RoleLevel, type RoleLocation } from './rolelevels.js'

/** A write under way. */
export interface RoleWrite {
  level: RoleLevel
  where: RoleLocation
  user: UserInfo
  dryRun: boolean
  signal: AbortSignal
}

/** No object has such a name, and no path can be made of it. */
const UNADDRESSABLE = /[/%]|^\.\.?$/

export class RoleWrites {
  constructor(
    private readonly resources: TenancyResources,
    private readonly composition: RoleComposition,
  ) {}

  /** Creates the role, or replaces it when the metadata name a version. @throws StatusError */
  async put(write: RoleWrite, metadata: ObjectMeta): Promise<RoleObject> {
    const { level, where, user } = write
    const roles = level.of(this.resources)
    const { name = '', resourceVersion } = metadata
    const stored = resourceVersion ? await this.#stored(write, name, level.resource) : undefined
    const placed = place(metadata, where)
    const rules = this.#rules(write, placed, stored)
    const finalizers = stored?.metadata.finalizers
    const { annotations: _, ...unmarked } = placed
    const role: RoleObject = {
      metadata: { ...unmarked, ...marked(placed, rules), ...(finalizers && { finalizers }) },
      rules,
      // Says which labels Kubernetes collects rules by; it is not for clients of this API to change.
      ...(stored?.['aggregationRule'] !== undefined && { aggregationRule: stored['aggregationRule'] }),
    }
    await this.composition.demand(user, level, where, role, stored)
    return stored ? roles.update(role, optionsOf(write)) : roles.create(role, optionsOf(write))
  }

  /** Merges metadata; rules change when the patch names roles to compose. @throws StatusError */
  async patch(write: RoleWrite, name: string, metadata: ObjectMeta): Promise<RoleObject> {
    return retrying(metadata.resourceVersion !== undefined, () => this.#patchOnce(write, name, metadata))
  }

  /** @throws StatusError 404; 403 or 409 for what ships with the platform */
  async delete(write: RoleWrite, name: string): Promise<void> {
    const { level, where, user } = write
    const roles = level.of(this.resources)
    const cached = roles.get(name, where.namespace)
    if (where.workspace !== undefined && !belongs(cached, where))
      throw missingRole(level, this.resources, name)
    this.composition.demandRemoval(user, level, cached)
    const uid = cached?.metadata.uid
    await roles.delete(name, { ...optionsOf(write), ...(uid !== undefined && { preconditions: { uid } }) })
  }

  async #patchOnce(write: RoleWrite, name: string, patch: ObjectMeta): Promise<RoleObject> {
    const { level, where, user } = write
    const stored = await this.#stored(write, name)
    const { labels, annotations, ...rest } = patch
    const changes: ObjectMeta = {
      ...rest,
      resourceVersion: patch.resourceVersion ?? stored.metadata.resourceVersion ?? '',
      ...(labels && { labels: place({ labels }, where).labels ?? {} }),
      ...(annotations && { annotations }),
    }
    const metadata: ObjectMeta = {
      ...stored.metadata,
      ...changes,
      labels: { ...stored.metadata.labels, ...changes.labels },
      annotations: { ...stored.metadata.annotations, ...annotations },
    }
    const recomposed = annotations?.[AGGREGATION] !== undefined
    const rules = recomposed ? this.#rules(write, metadata, stored) : (stored.rules ?? [])
    await this.composition.demand(user, level, where, { metadata, rules }, stored)
    const composed = { ...changes, ...(recomposed && marked(changes, rules)) }
    return level.of(this.resources).patch(name, 'merge', { metadata: composed, rules }, optionsOf(write))
  }

  /** The vital roles keep what they have: their annotations name templates that say less. */
  #rules({ level, where }: RoleWrite, metadata: ObjectMeta, stored: RoleObject | undefined) {
    if (stored && isVital(level.kind, stored)) return stored.rules ?? []
    return this.composition.rules(level, where, metadata)
  }

  /**
   * @param called what the error calls the role: a replacement is refused as by the API itself
   * @throws StatusError 404 when there is none, or it is another workspace's
   */
  async #stored(
    { level, where, signal }: RoleWrite,
    name: string,
    called = level.singular,
  ): Promise<RoleObject> {
    if (name === '') throw badRequest('metadata.name is missing')
    const missing = (): Error =>
      notFound({ group: level.of(this.resources).type.group, resource: called }, name)
    if (UNADDRESSABLE.test(name)) throw missing()
    try {
      const { client } = level.of(this.resources)
      const stored = await client.get(name, { namespace: where.namespace, signal })
      if (belongs(stored, where)) return stored
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 404)) throw error
    }
    throw missing()
  }
}

/** With what tells later that the rules come from other roles. What a client says of that does not count. */
function marked({ annotations = {} }: ObjectMeta, rules: PolicyRule[]): Pick<ObjectMeta, 'annotations'> {
  const { [COMPOSED]: _, ...rest } = annotations
  const isComposed = aggregatedNames({ metadata: { annotations } }, AGGREGATION).length > 0
  const all = isComposed ? { ...rest, [COMPOSED]: composedMark(rules) } : rest
  return Object.keys(all).length === 0 ? {} : { annotations: all }
}

/** The metadata where the role belongs, whatever the client says of it. */
function place(metadata: ObjectMeta, { namespace, workspace }: RoleLocation): ObjectMeta {
  return {
    ...metadata,
    ...(namespace !== '' && { namespace }),
    ...(workspace !== undefined && { labels: { ...metadata.labels, [WORKSPACE]: workspace } }),
  }
}

function optionsOf({ where: { namespace }, dryRun, signal }: RoleWrite) {
  return { dryRun, signal, ...(namespace !== '' && { namespace }) }
}

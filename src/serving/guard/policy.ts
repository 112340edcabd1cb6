/**
 * What a policy is: rules that the Kubernetes API cannot apply for us, because behind the proxy everybody looks
 * like the server itself.
 *
 * A policy belongs to one resource, of any version. Requests for resources without one are not touched.
 */
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'

export interface GuardedWrite {
  readonly caller: UserInfo
  /** A patch is an update; of an object that is not there yet (apply), a create. */
  readonly verb: 'create' | 'update' | 'delete'
  readonly subresource: string
  /** "" for cluster-scoped resources. A Namespace is in the namespace of its name. */
  readonly namespace: string
  /** "" while the server has yet to make it up (`generateName`). */
  readonly name: string
  /** As stored. Undefined for a create. */
  readonly before: KubeObject | undefined
  /** As it is going to be stored, before defaults. Undefined for a delete. */
  readonly after: KubeObject | undefined
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

export interface Policy {
  readonly group: string
  readonly resource: string
  /**
   * Judges a write. `status`, `finalize` and other subresources that are written as the object itself come here like
   * the object; a create below an object (`serviceaccounts/token`) comes with its body and without `before`.
   *
   * @returns undefined, or the object to store in place of `after`
   * @throws StatusError when the caller must not
   */
  judge?(write: GuardedWrite): KubeObject | undefined | void | Promise<KubeObject | undefined | void>
  /** Verbs that `judge` has no opinion on; they pass untouched. */
  readonly indifferentTo?: readonly GuardedWrite['verb'][]
  /**
   * Takes out of an object what clients, or this one, may not read, in place. Called for every object in every
   * answer, in whatever form: it may be metadata alone.
   *
   * @returns true when the columns of a table would tell what was taken out; then only the first is left
   */
  conceal?(object: KubeObject, caller: UserInfo): boolean | void
}

/** Policies by group and resource; looking one up costs two map accesses and no memory. */
export class PolicyTable {
  readonly #groups = new Map<string, Map<string, Policy>>()

  /** @throws Error when two policies claim one resource */
  constructor(policies: Iterable<Policy> = []) {
    for (const policy of policies) {
      const { group, resource } = policy
      const resources = this.#groups.get(group) ?? new Map<string, Policy>()
      if (resources.has(resource)) throw new Error(`two policies for ${resource}.${group}`)
      this.#groups.set(group, resources.set(resource, policy))
    }
  }

  of(group: string, resource: string): Policy | undefined {
    return this.#groups.get(group)?.get(resource)
  }

  *[Symbol.iterator](): Iterator<Policy> {
    for (const resources of this.#groups.values()) yield* resources.values()
  }
}

/**
 * Keeps on each user which clusters it may use (iam-tenant.md §7.15): those where a binding of the cluster names it, that
 * the platform made there.
 *
 * A pass is about one cluster. Members are asked from time to time, because nothing of theirs is watched from here; one
 * that does not answer keeps what it has said last.
 */
import { type Reconciler, type Request, type Result } from '../../controller/index.js'
import { GRANTED_CLUSTERS } from '../../tenancy/names.js'
import { type ClusterObject, type UserObject } from '../../tenancy/types.js'

type Cluster = Readonly<ClusterObject>
type User = Readonly<UserObject>

export interface GrantedClustersReconcilerDeps {
  get(cluster: string): Cluster | undefined
  user(name: string): User | undefined
  /** Whose annotation names the cluster. */
  usersOf(cluster: string): Iterable<User>
  /** Whom the cluster itself lets in. @throws when it cannot be asked */
  namedIn(cluster: Cluster, signal: AbortSignal): Promise<ReadonlySet<string>>
  commit(before: User, after: UserObject, signal: AbortSignal): Promise<boolean>
  /** How often a cluster is asked. */
  resyncMs: number
}

export class GrantedClustersReconciler implements Reconciler {
  constructor(private readonly deps: GrantedClustersReconcilerDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const cluster = deps.get(name)
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) {
      for (const user of [...deps.usersOf(name)]) await this.#set(user, name, false, signal)
      return
    }
    if (isReady(cluster)) {
      const named = await deps.namedIn(cluster, signal)
      for (const user of [...deps.usersOf(name)])
        if (!named.has(user.metadata.name ?? '')) await this.#set(user, name, false, signal)
      for (const userName of named) {
        const user = deps.user(userName)
        if (user) await this.#set(user, name, true, signal)
      }
    }
    return { requeueAfter: deps.resyncMs }
  }

  async #set(user: User, cluster: string, granted: boolean, signal: AbortSignal): Promise<void> {
    const { [GRANTED_CLUSTERS]: _, ...rest } = user.metadata.annotations ?? {}
    const before = grantedClusters(user)
    const others = before.filter((name) => name !== cluster)
    if (granted === others.length < before.length) return
    const after = granted ? [...others, cluster].sort() : others
    const annotations = after.length === 0 ? rest : { ...rest, [GRANTED_CLUSTERS]: after.join(',') }
    await this.deps.commit(user, { ...user, metadata: { ...user.metadata, annotations } }, signal)
  }
}

export function grantedClusters({ metadata }: User): string[] {
  const text = metadata.annotations?.[GRANTED_CLUSTERS] ?? ''
  return text.split(',').flatMap((name) => name.trim() || [])
}

/** One that nobody has probed is asked all the same: whether it answers is what a probe would say. */
function isReady({ spec, status }: Cluster): boolean {
  if (spec?.['enable'] === false) return false
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready === undefined || ready.status === 'True'
}

/**
 * First data: what a new cluster needs before anybody can log in. Definitions, built-in roles, system namespaces
 * and workspace, the user `admin`.
 *
 * Only adds what is missing. What somebody has changed stays as it is, what somebody has deleted comes back, with two
 * exceptions, which are created only while there are no users at all. `admin`: removing an account whose password may
 * be the documented one is for good. And the roles that nothing depends on: installations of v3.4 come without them,
 * and administrators who prefer roles of their own delete them. Running it twice, or in two processes at once, does
 * no harm.
 */
import { setMaxListeners } from 'node:events'
import { type KubeObject, type ObjectMeta } from '../apimachinery/meta/types.js'
import { pooledHasher } from '../authentication/hashthread.js'
import { Passwords } from '../authentication/passwords.js'
import { listPath } from '../client/cache/informerset.js'
import { type Transport } from '../client/transport.js'
import { PLATFORM } from '../client/writer.js'
import { type Logger } from '../serving/log.js'
import { FirstDataApi } from './api.js'
import { type Collection, COLLECTIONS } from './collections.js'
import {
  adminUser,
  definitions,
  namespace,
  namespaceLabels,
  NOTIFICATION_NAMESPACE,
  OPTIONAL_NAMESPACES,
  roles,
  SYSTEM_NAMESPACES,
  WORKSPACE,
  WORKSPACE_TEMPLATE,
} from './data.js'

export { DOCUMENTED_PASSWORD, firstAdminPassword, isLoopback } from './password.js'
export { whenSeen } from './seen.js'

export interface BootstrapDeps {
  client: Transport
  /** Given to `admin` if that user has to be created; see `firstAdminPassword`. */
  adminPassword: string
  logger: Logger
  signal: AbortSignal
  passwords?: Passwords
}

export interface Bootstrapped {
  /** What was missing: collection → names. Empty when nothing was. */
  created: Record<string, string[]>
  /** Set when `admin` was created now; to be shown once. */
  adminPassword?: string
  durationMs: number
}

const CREATOR = 'kubesphere.io/creator'
const DISPENSABLE_ROLES: readonly string[] = ['users-manager', 'workspaces-manager']
const WORKSPACE_LABEL = 'kubesphere.io/workspace'

/** @throws StatusError when the API refuses an object; the signal's reason */
export async function bootstrapPlatform(deps: BootstrapDeps): Promise<Bootstrapped> {
  const startedAt = performance.now()
  // One signal for some two hundred requests at once is meant.
  setMaxListeners(0, deps.signal)
  const { logger, signal, adminPassword, passwords = new Passwords({ hasher: pooledHasher() }) } = deps
  const api = new FirstDataApi(deps.client, PLATFORM, signal)
  const created: Record<string, string[]> = {}

  const add = async (
    collection: Collection,
    name: string,
    object: KubeObject | Uint8Array,
  ): Promise<void> => {
    if (await api.create(listPath(COLLECTIONS[collection]), object)) (created[collection] ??= []).push(name)
  }

  const names = Object.keys(COLLECTIONS) as Collection[]
  const [lists, shippedDefinitions, shippedRoles] = await Promise.all([
    Promise.all(names.map((name) => api.list(listPath(COLLECTIONS[name])))),
    definitions(),
    roles(),
  ])
  const listed = new Map(names.map((name, i) => [name, lists[i]]))
  const present = (collection: Collection): ReadonlyMap<string, ObjectMeta> =>
    listed.get(collection) ?? new Map<string, ObjectMeta>()

  const isFirstStart = present('users').size === 0
  const addMissing = (collection: Collection, objects: readonly KubeObject[]): Promise<void>[] =>
    objects
      .filter(({ metadata: { name = '' } }) => !present(collection).has(name))
      .filter(({ metadata: { name = '' } }) => isFirstStart || !DISPENSABLE_ROLES.includes(name))
      .map((object) => add(collection, object.metadata.name ?? '', object))

  // Hashing takes a while and another thread; it runs while definitions are created.
  const admin = isFirstStart ? passwords.hash(adminPassword, signal).then(adminUser) : undefined
  admin?.catch(() => undefined)

  await Promise.all(
    shippedDefinitions
      .filter(({ name }) => !present('customresourcedefinitions').has(name))
      .map(({ name, bytes }) => add('customresourcedefinitions', name, bytes)),
  )

  const labelMissing = (name: string, { labels }: ObjectMeta): Promise<void>[] =>
    labels?.[WORKSPACE_LABEL] === undefined
      ? [
          api.patch(`${listPath(COLLECTIONS.namespaces)}/${name}`, {
            metadata: { labels: namespaceLabels(name) },
          }),
        ]
      : []
  await Promise.all([
    ...[...shippedRoles].flatMap(([collection, objects]) => addMissing(collection as Collection, objects)),
    ...adoptClusterAdmin(api, present('clusterroles'), shippedRoles.get('clusterroles') ?? []),
    ...addMissing('namespaces', SYSTEM_NAMESPACES.map(namespace)),
    ...(present('namespaces').has('kubesphere-system')
      ? []
      : addMissing('namespaces', [namespace(NOTIFICATION_NAMESPACE)])),
    ...[...SYSTEM_NAMESPACES, ...OPTIONAL_NAMESPACES].flatMap((name) => {
      const there = present('namespaces').get(name)
      return there === undefined ? [] : labelMissing(name, there)
    }),
    ...addMissing('workspacetemplates', [WORKSPACE_TEMPLATE]),
    ...addMissing('workspaces', [WORKSPACE]),
    admin?.then((user) => add('users', 'admin', user)),
  ])

  const durationMs = Math.round(performance.now() - startedAt)
  const counts = Object.fromEntries(Object.entries(created).map(([name, list]) => [name, list.length]))
  if (Object.keys(counts).length > 0) logger.info({ ...counts, durationMs }, 'first data created')
  return { created, durationMs, ...(created.users !== undefined && { adminPassword }) }
}

/** Kubernetes brings `cluster-admin` along; the annotations make it a role that the console offers. */
function adoptClusterAdmin(
  api: FirstDataApi,
  present: ReadonlyMap<string, ObjectMeta>,
  shipped: readonly KubeObject[],
): Promise<void>[] {
  return shipped.flatMap(({ metadata: { name = '', annotations } }) => {
    const there = present.get(name)
    if (there === undefined || annotations?.[CREATOR] === undefined) return []
    if (there.annotations?.[CREATOR] !== undefined) return []
    return [api.patch(`${listPath(COLLECTIONS.clusterroles)}/${name}`, { metadata: { annotations } })]
  })
}

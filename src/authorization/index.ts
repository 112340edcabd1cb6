/**
 * Who may do what. Owns the compiled role book and the decision; reads roles, bindings,
 * namespaces and DevOps projects through informers and writes nothing.
 *
 *     const authorization = createAuthorization({ mode, informers, logger })
 *     const { allowed, reason } = await authorization.authorizer.authorize(attributesOf(info, user))
 */
import { type InformerSet } from '../client/cache/interface.js'
import { type AuthorizationMode, authorizerFor } from './authorizer.js'
import { type Gate, type Loading } from '../client/gate.js'
import { followRoles, roleFinder } from './follow.js'
import { type Authorizer } from './interface.js'
import { type Logger } from '../serving/log.js'
import { opaClient } from './opa.js'
import { RbacAuthorizer } from './rbac.js'
import { Rights } from './rights.js'
import { RoleBook } from './rolebook.js'

export { attributesOf, type AuthorizationMode } from './authorizer.js'

export interface AuthorizationDeps {
  mode: AuthorizationMode
  /** Address of an OPA server; empty: policy modules of roles grant nothing. */
  opaEndpoint?: string
  informers: InformerSet
  /** What requests wait for besides roles and bindings. */
  first?: readonly Loading[]
  logger: Logger
}

export interface Authorization {
  authorizer: Authorizer
  /** Role decisions whatever the mode; for probes inside handlers. */
  rbac: Authorizer
  book: RoleBook
  /** What handlers ask about the caller. */
  rights: Rights
  /** The same by roles and bindings, whatever the mode. */
  roleRights: Rights
  /** What requests wait for: roles, bindings, and what else was given; undefined when all of it is there. */
  pending: Gate
  stop: () => void
}

export function createAuthorization({
  mode,
  opaEndpoint = '',
  informers,
  first,
  logger,
}: AuthorizationDeps): Authorization {
  const opa = opaEndpoint === '' ? undefined : opaClient({ endpoint: opaEndpoint, logger })
  const book = new RoleBook({ logger, findRole: roleFinder(informers), canAskModules: opa !== undefined })
  const followed = followRoles(informers, book, first)
  const rbac = new RbacAuthorizer({ book, places: followed.places, opa, pending: followed.pending })
  const authorizer = authorizerFor(mode, rbac)
  const unrestricted = mode === 'AlwaysAllow'
  const rights = new Rights({ book, places: followed.places, authorizer, unrestricted })
  const roleRights = new Rights({ book, places: followed.places, authorizer: rbac, unrestricted: false })
  return { authorizer, rbac, book, rights, roleRights, pending: followed.pending, stop: followed.stop }
}

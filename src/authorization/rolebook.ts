/**
 * The compiled state that decisions are made from: who holds which role where. Kept up to date object by
 * object; knows nothing of informers, so that a test can fill it from literals.
 */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type BindingRecord, Grants, type Holder, holdersOf } from './bindings.js'
import { Holdings } from './holdings.js'
import { type BindingKind, type BindingObject, type RoleKind, WORKSPACE_LABEL } from './objects.js'
import { type Logger } from '../serving/log.js'
import { type FindRole, type RoleSlot, RoleTable } from './roles.js'

/** What one binding put where, to take it out again. */
interface Entry {
  record: BindingRecord
  place: string
  grants: Grants
  role: RoleSlot
  holders: Holder[]
}

export interface RoleBookOptions {
  logger: Logger
  findRole: FindRole
  /** Whether policy modules of platform roles can be evaluated by somebody. */
  canAskModules?: boolean
}

export class RoleBook {
  readonly roles: RoleTable
  readonly global = new Grants()
  readonly cluster = new Grants()
  readonly #workspaces = new Map<string, Grants>()
  readonly #namespaces = new Map<string, Grants>()
  readonly #workspaceHoldings = new Holdings()
  readonly #namespaceHoldings = new Holdings()
  readonly #entries = new Map<string, Entry>()

  constructor({ logger, findRole, canAskModules = false }: RoleBookOptions) {
    this.roles = new RoleTable(logger, canAskModules, findRole)
  }

  /** An empty name is no workspace and has no bindings; the original took it for all of them. */
  workspace(name: string): Grants | undefined {
    return name === '' ? undefined : this.#workspaces.get(name)
  }

  namespace(name: string): Grants | undefined {
    return name === '' ? undefined : this.#namespaces.get(name)
  }

  /** The workspaces that a binding of the user, or of one of the groups, is labelled with. */
  workspacesOf(user: UserInfo): Set<string> {
    return this.#workspaceHoldings.placesOf(user)
  }

  /** The namespaces that hold such a binding. */
  namespacesOf(user: UserInfo): Set<string> {
    return this.#namespaceHoldings.placesOf(user)
  }

  get bindings(): number {
    return this.#entries.size
  }

  /** A role came, changed or went. */
  roleChanged(kind: RoleKind, namespace: string, name: string): void {
    this.roles.changed(kind, namespace, name)
  }

  setBinding(kind: BindingKind, binding: BindingObject): void {
    const { name = '', namespace = '', labels } = binding.metadata
    const place = kind === 'WorkspaceRoleBinding' ? (labels?.[WORKSPACE_LABEL] ?? '') : namespace
    const grants = this.#place(kind, place)
    // Added before the old state is removed, so that no request between sees neither.
    const previous = this.#entries.get(keyOf(kind, namespace, name))
    if (grants !== undefined) {
      const role = this.roles.acquire(binding.roleRef?.kind ?? '', namespace, binding.roleRef?.name ?? '')
      const record: BindingRecord = { kind, namespace, name }
      const holders = holdersOf(binding)
      for (const holder of holders) {
        grants.add(holder, role, record)
        this.#holdings(kind)?.add(holder, place)
      }
      this.#entries.set(keyOf(kind, namespace, name), { record, place, grants, role, holders })
    } else {
      this.#entries.delete(keyOf(kind, namespace, name))
    }
    if (previous !== undefined) this.#remove(previous)
  }

  deleteBinding(kind: BindingKind, namespace: string, name: string): void {
    const key = keyOf(kind, namespace, name)
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#remove(entry)
  }

  #remove({ record, place, grants, role, holders }: Entry): void {
    for (const holder of holders) {
      grants.remove(holder, role, record)
      this.#holdings(record.kind)?.remove(holder, place)
    }
    this.roles.release(role)
    if (!grants.empty) return
    if (record.kind === 'WorkspaceRoleBinding') this.#workspaces.delete(place)
    if (record.kind === 'RoleBinding') this.#namespaces.delete(place)
  }

  #holdings(kind: BindingKind): Holdings | undefined {
    if (kind === 'WorkspaceRoleBinding') return this.#workspaceHoldings
    return kind === 'RoleBinding' ? this.#namespaceHoldings : undefined
  }

  #place(kind: BindingKind, place: string): Grants | undefined {
    if (kind === 'GlobalRoleBinding') return this.global
    if (kind === 'ClusterRoleBinding') return this.cluster
    if (place === '') return undefined
    const places = kind === 'WorkspaceRoleBinding' ? this.#workspaces : this.#namespaces
    let grants = places.get(place)
    if (grants === undefined) {
      grants = new Grants()
      places.set(place, grants)
    }
    return grants
  }
}

function keyOf(kind: BindingKind, namespace: string, name: string): string {
  // Joined, it is one text at once; a template would keep the steps beside it.
  return [kind, namespace, name].join('/')
}

/**
 * Roles in compiled form, each in a slot that bindings point to.
 *
 * A slot outlives its role: a binding may come before the role it names, and a role that changes is changed
 * for all its bindings at once. Most roles of a large installation are bound to nobody, and need none.
 */
import { SharedByRules } from '../apimachinery/rbac/shared.js'
import { type RoleKind, type RoleObject } from './objects.js'
import { type Attributes } from './interface.js'
import { type Logger } from '../serving/log.js'
import {
  isStockModule,
  nativeRules,
  NATIVE_RULES,
  NATIVE_RULES_ANNOTATION,
  REGO_ANNOTATION,
} from './policy.js'
import { type NativeRule } from './policy.js'
import { RuleSet } from './rules.js'

export interface RoleSlot {
  /** As the binding wrote it; anything but a RoleKind is a fault. */
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Undefined while no such role exists: it grants nothing. */
  rules: RuleSet | undefined
  native: readonly NativeRule[]
  /** A Rego module that an OPA server has to be asked about; on platform-level roles only. */
  module: string | undefined
  /** What is wrong with the reference itself; shown in refusals. */
  readonly fault: string | undefined
  /** Bindings that point here. */
  references: number
}

/** Looks up a stored role. */
export type FindRole = (kind: RoleKind, namespace: string, name: string) => RoleObject | undefined

const KINDS: ReadonlySet<string> = new Set<RoleKind>(['GlobalRole', 'ClusterRole', 'WorkspaceRole', 'Role'])

/** Roles that only platform and cluster administrators write. */
const isPlatformLevel = (kind: string): boolean => kind === 'GlobalRole' || kind === 'ClusterRole'

export class RoleTable {
  readonly #slots = new Map<string, RoleSlot>()
  readonly #warned = new Set<string>()
  readonly #sets = new SharedByRules((rules) => new RuleSet(rules))
  /** Slots with a module, and slots with a fault: both are rare, and free when there are none. */
  modules = 0
  faults = 0

  constructor(
    private readonly logger: Logger,
    private readonly canAskModules: boolean,
    private readonly find: FindRole,
  ) {}

  /** The slot for a reference, counted; give it back with `release`. */
  acquire(kind: string, namespace: string, name: string): RoleSlot {
    const slot = this.#slot(kind, kind === 'Role' ? namespace : '', name)
    slot.references++
    return slot
  }

  release(slot: RoleSlot): void {
    slot.references--
    if (slot.references > 0) return
    this.#setPolicy(slot, {})
    if (slot.fault !== undefined) this.faults--
    this.#slots.delete(keyOf(slot.kind, slot.namespace, slot.name))
  }

  /** A role came, changed or went. */
  changed(kind: RoleKind, namespace: string, name: string): void {
    const slot = this.#slots.get(keyOf(kind, namespace, name))
    if (slot !== undefined) this.#fill(slot)
  }

  #fill(slot: RoleSlot): void {
    const role = slot.fault === undefined && this.find(slot.kind as RoleKind, slot.namespace, slot.name)
    slot.rules = role ? this.#sets.of(role.rules ?? []) : undefined
    this.#setPolicy(slot, (role && role.metadata.annotations) || {})
  }

  #slot(kind: string, namespace: string, name: string): RoleSlot {
    const key = keyOf(kind, namespace, name)
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      const fault = KINDS.has(kind) ? undefined : `unsupported role reference kind: ${JSON.stringify(kind)}`
      slot = {
        kind,
        namespace,
        name,
        rules: undefined,
        native: [],
        module: undefined,
        fault,
        references: 0,
      }
      if (fault !== undefined) this.faults++
      this.#slots.set(key, slot)
      this.#fill(slot)
    }
    return slot
  }

  #setPolicy(slot: RoleSlot, annotations: Readonly<Record<string, string>>): void {
    if (slot.module !== undefined) this.modules--
    slot.module = undefined
    slot.native = []
    const about = {
      kind: slot.kind,
      name: slot.name,
      ...(slot.namespace !== '' && { namespace: slot.namespace }),
    }

    const named = annotations[NATIVE_RULES_ANNOTATION]
    if (named !== undefined && slot.kind === 'GlobalRole') {
      const { rules, unknown } = nativeRules(named)
      slot.native = rules
      if (unknown.length > 0)
        this.#warnOnce(named, { ...about, unknown }, 'role names native rules that do not exist')
    }

    const module = annotations[REGO_ANNOTATION]
    if (module === undefined || module.trim() === '') return
    if (!isPlatformLevel(slot.kind)) {
      this.logger.debug(about, 'policy module on a tenant role ignored')
    } else if (slot.kind === 'GlobalRole' && isStockModule(module)) {
      slot.native = NATIVE_RULES
    } else if (this.canAskModules) {
      slot.module = module
      this.modules++
    } else {
      this.#warnOnce(module, about, 'policy module of a role grants nothing: no OPA server is configured')
    }
  }

  #warnOnce(text: string, fields: object, message: string): void {
    const key = `${JSON.stringify(fields)} ${text}`
    if (this.#warned.has(key)) return
    this.#warned.add(key)
    this.logger.warn(fields, message)
  }
}

/** Does the role itself, without asking anybody, allow the request? */
export function grants(slot: RoleSlot, attributes: Attributes): boolean {
  for (const rule of slot.native) if (rule.allows(attributes)) return true
  return slot.rules?.match(attributes) !== undefined
}

function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`
}

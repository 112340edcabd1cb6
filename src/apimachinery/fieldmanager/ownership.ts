/**
 * What a change of the object means for everybody's ownership: a field that changed belongs to who changed it, a
 * field that is gone to nobody.
 */
import { type StatusCause, StatusError } from '../errors/index.js'
import { type Element, formatPath } from './element.js'
import { FieldSet } from './fieldset.js'
import { type Manager, type Managers } from './managers.js'
import { type Difference } from './typed.js'

export interface Conflict {
  manager: Manager
  path: Element[]
}

/** Fields that no manager owns: identity, and what the server keeps. */
export const UNOWNED = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ].map((name) => ['f:metadata', `f:${name}`]),
)

export const ownable = (fields: FieldSet): FieldSet => fields.difference(UNOWNED)

/** Fields of others that a change touches. @param self the identity of who changes */
export function conflictsWith(managers: Managers, { added, modified }: Difference, self: string): Conflict[] {
  const changed = ownable(modified.union(added))
  return [...managers]
    .filter(([id]) => id !== self)
    .sort(([, a], [, b]) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .flatMap(([, manager]) =>
      manager.fields
        .intersection(changed)
        .paths()
        .map((path) => ({ manager, path })),
    )
}

/** Takes from everybody but `self` what changed, and from everybody what is gone. */
export function release(managers: Managers, { added, modified, removed }: Difference, self: string): void {
  const changed = modified.union(added)
  for (const [id, manager] of managers) {
    const kept = id === self ? manager.fields : manager.fields.difference(changed)
    const fields = kept.difference(removed)
    if (fields.isEmpty) managers.delete(id)
    else if (!fields.equals(manager.fields)) managers.set(id, { ...manager, fields })
  }
}

const describe = ({ name, operation, apiVersion }: Manager): string =>
  operation === 'Update' ? `${JSON.stringify(name)} using ${apiVersion}` : JSON.stringify(name)

/** 409, every field named, grouped by who owns it. */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes: StatusCause[] = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(manager)}`,
    field: formatPath(path),
  }))
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: summary(conflicts),
    details: { causes },
  })
}

function summary(conflicts: readonly Conflict[]): string {
  const [only] = conflicts
  if (only !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${describe(only.manager)}: ${formatPath(only.path)}`
  }
  const byManager = new Map<string, string[]>()
  for (const { manager, path } of conflicts) {
    const who = describe(manager)
    byManager.set(who, [...(byManager.get(who) ?? []), `- ${formatPath(path)}`])
  }
  const lines = [...byManager].flatMap(([who, paths]) => [`conflicts with ${who}:`, ...paths])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

/**
 * The served resources, by path and by kind, and the order in which discovery names them.
 *
 * Custom groups come after the built-in ones, versions by stability (`v2` before `v1` before `v2beta1`).
 */
import { type Catalogue, type ResourceDefinition } from './strategy.js'

/** Built-in groups in discovery order, where a version is preferred against stability listed with it. */
const BUILTIN_GROUPS: readonly [group: string, versions?: readonly string[]][] = [
  [''],
  ['apiregistration.k8s.io'],
  ['apps'],
  ['events.k8s.io'],
  ['authentication.k8s.io'],
  ['authorization.k8s.io'],
  ['autoscaling', ['v1', 'v2', 'v2beta1', 'v2beta2']],
  ['batch'],
  ['certificates.k8s.io'],
  ['networking.k8s.io'],
  ['extensions'],
  ['policy'],
  ['rbac.authorization.k8s.io'],
  ['storage.k8s.io'],
  ['admissionregistration.k8s.io'],
  ['apiextensions.k8s.io'],
  ['scheduling.k8s.io'],
  ['coordination.k8s.io'],
  ['node.k8s.io'],
  ['discovery.k8s.io'],
  ['flowcontrol.apiserver.k8s.io'],
]

const RANK = new Map(BUILTIN_GROUPS.map(([group], i) => [group, i]))
const VERSION_ORDER = new Map(BUILTIN_GROUPS.map(([group, versions]) => [group, versions]))

/** True for groups that ship with the server. */
export function isBuiltinGroup(group: string): boolean {
  return RANK.has(group)
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/
const STABILITY: Record<string, number> = { '': 3, beta: 2, alpha: 1 }

/** Most stable and newest first; names that are no versions last, by alphabet. */
export function compareVersions(left: string, right: string): number {
  const a = VERSION.exec(left)
  const b = VERSION.exec(right)
  if (!a || !b) return a ? -1 : b ? 1 : left < right ? -1 : left > right ? 1 : 0
  return (
    (STABILITY[b[2] ?? ''] ?? 0) - (STABILITY[a[2] ?? ''] ?? 0) ||
    Number(b[1]) - Number(a[1]) ||
    Number(b[3] ?? 0) - Number(a[3] ?? 0)
  )
}

const pathOf = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`

export function createCatalogue(definitions: Iterable<ResourceDefinition> = []): Catalogue {
  const byPath = new Map<string, ResourceDefinition>()
  const byKind = new Map<string, ResourceDefinition>()
  const listeners = new Set<() => void>()
  let revision = 0
  let groups: { name: string; versions: string[]; preferred: string }[] | undefined

  const changed = (): void => {
    revision++
    groups = undefined
    for (const listener of listeners) listener()
  }

  function computeGroups(): { name: string; versions: string[]; preferred: string }[] {
    const versionsOf = new Map<string, Set<string>>()
    for (const { group, version } of byPath.values()) {
      const versions = versionsOf.get(group) ?? new Set()
      versionsOf.set(group, versions.add(version))
    }
    // Map keeps insertion order, and sort is stable: custom groups stay as they came.
    return [...versionsOf]
      .sort(([a], [b]) => (RANK.get(a) ?? RANK.size) - (RANK.get(b) ?? RANK.size))
      .map(([name, set]) => {
        const fixed = VERSION_ORDER.get(name)
        const versions = [...set].sort(
          fixed ? (a, b) => fixed.indexOf(a) - fixed.indexOf(b) : compareVersions,
        )
        return { name, versions, preferred: versions[0] ?? '' }
      })
  }

  const put = (definition: ResourceDefinition): void => {
    const { group, version, resource, kind } = definition
    const path = pathOf(group, version, resource)
    const replaced = byPath.get(path)
    if (replaced && replaced.kind !== kind) byKind.delete(pathOf(group, version, replaced.kind))
    byPath.set(path, definition)
    byKind.set(pathOf(group, version, kind), definition)
  }
  for (const definition of definitions) put(definition)

  return {
    get revision() {
      return revision
    },
    get: (group, version, resource) => byPath.get(pathOf(group, version, resource)),
    byKind: (group, version, kind) => byKind.get(pathOf(group, version, kind)),
    all: () => byPath.values(),
    groups: () => (groups ??= computeGroups()),
    set(definition) {
      put(definition)
      changed()
    },
    remove(group, version, resource) {
      const path = pathOf(group, version, resource)
      const definition = byPath.get(path)
      if (!definition) return
      byPath.delete(path)
      byKind.delete(pathOf(group, version, definition.kind))
      changed()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What discovery says of each resource and of what lies below it. */
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'

export interface DiscoveredSubresource {
  name: string
  group: string
  version: string
  kind: string
  verbs: readonly string[]
}

const WRITABLE = ['get', 'patch', 'update']

/** `status` and `scale` among the others, by name. */
export function subresourcesOf(definition: ResourceDefinition): DiscoveredSubresource[] {
  const { group, version, kind, strategy, scale } = definition
  const list: DiscoveredSubresource[] = definition.subresources.map((each) => ({
    name: each.name,
    group: each.group ?? group,
    version: each.version ?? version,
    kind: each.kind,
    verbs: each.verbs,
  }))
  if (strategy.statusSubresource) list.push({ name: 'status', group, version, kind, verbs: WRITABLE })
  if (scale) list.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: WRITABLE })
  return list.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The resources of a group version; built-in ones by name, custom ones as they came. */
export function resourcesOf(catalogue: Catalogue, group: string, version: string): ResourceDefinition[] {
  const found: ResourceDefinition[] = []
  for (const definition of catalogue.all()) {
    if (definition.group === group && definition.version === version) found.push(definition)
  }
  return found.sort((a, b) => (a.custom || b.custom ? 0 : a.resource < b.resource ? -1 : 1))
}

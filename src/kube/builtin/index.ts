/**
 * All kinds that a Kubernetes 1.20 API serves, with the four later versions named in docs/decisions.
 *
 * Fields, names, columns and discovery come from config/kube (recorded); defaults, validation and cells
 * from the rules of each kind beside this file.
 */
import { type ResourceDefinition, type SubresourceDefinition } from '../registry/strategy.js'
import { ServiceAddresses } from './core/serviceaddresses.js'
import { conversionOf } from './conversion/index.js'
import { type GroupFacts, resourceFacts, type ResourceFacts } from './data.js'
import { rulesOf } from './kinds.js'
import { keyPrefixOf, storageOf } from './storage.js'
import { strategyOf } from './strategy.js'

export { ServiceAddresses } from './core/serviceaddresses.js'
export { bootstrapObjects, definitions, protobufPackages } from './data.js'
export type { BootstrapObjects, GroupFacts, ProtobufPackages, SchemaNode } from './data.js'

export interface BuiltinOptions {
  /** Who hands out cluster IPs and node ports; must have adopted the stored services before the first write. */
  serviceAddresses?: ServiceAddresses
}

/** In discovery order: group by group, version by version, resources by name. */
export function builtinResources(options: BuiltinOptions = {}): ResourceDefinition[] {
  const addresses = options.serviceAddresses ?? new ServiceAddresses()
  return resourceFacts().resources.map((facts) => definitionOf(facts, addresses))
}

/** Groups in discovery order with their versions; the core group is "". */
export function builtinGroups(): readonly GroupFacts[] {
  return resourceFacts().groups
}

function definitionOf(facts: ResourceFacts, addresses: ServiceAddresses): ResourceDefinition {
  const { group, version, kind } = facts
  const storage = storageOf(facts)
  const rules = rulesOf(facts, addresses)
  const convert = conversionOf(facts)
  return {
    group,
    version,
    resource: facts.name,
    singular: '',
    kind,
    listKind: `${kind}List`,
    namespaced: facts.namespaced,
    verbs: facts.verbs,
    shortNames: facts.shortNames ?? [],
    categories: facts.categories ?? [],
    storageVersionHash: facts.storageVersionHash ?? '',
    storage,
    keyPrefix: keyPrefixOf(facts),
    strategy: strategyOf(facts, rules, convert),
    ...(rules.scale && { scale: rules.scale }),
    subresources: subresourcesOf(facts),
    ...(convert && { convert }),
    custom: false,
  }
}

/** `status` and `scale` are the registry's own. */
function subresourcesOf({ subresources }: ResourceFacts): SubresourceDefinition[] {
  return subresources
    .filter(({ name }) => name !== 'status' && name !== 'scale')
    .map(({ name, kind, group, version, verbs }) => ({
      name,
      kind,
      ...(group !== undefined && { group }),
      ...(version !== undefined && { version }),
      verbs,
    }))
}

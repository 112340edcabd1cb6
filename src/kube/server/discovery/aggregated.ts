/** Aggregated discovery: everything in one document, `apidiscovery.k8s.io` v2 and v2beta1. */
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { resourcesOf, subresourcesOf } from './resources.js'

export type AggregatedVersion = 'v2' | 'v2beta1'

function discoveredResource(definition: ResourceDefinition): unknown {
  const { group, version, kind, resource, singular, namespaced, verbs, shortNames, categories } = definition
  const below = subresourcesOf(definition)
  return {
    resource,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular || kind.toLowerCase(),
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(below.length > 0 && {
      subresources: below.map((each) => ({
        subresource: each.name,
        responseKind: { group: each.group, version: each.version, kind: each.kind },
        verbs: each.verbs,
      })),
    }),
  }
}

/** @param core the core group alone (`/api`), or all the others (`/apis`) */
export function aggregatedDiscovery(
  catalogue: Catalogue,
  core: boolean,
  version: AggregatedVersion,
): unknown {
  const items: unknown[] = []
  for (const { name, versions } of catalogue.groups()) {
    if ((name === '') !== core) continue
    items.push({
      metadata: { ...(name !== '' && { name }), creationTimestamp: null },
      versions: versions.map((each) => ({
        version: each,
        resources: resourcesOf(catalogue, name, each).map(discoveredResource),
        freshness: 'Current',
      })),
    })
  }
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items,
  }
}

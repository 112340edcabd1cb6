/** Aggregated discovery: everything in one document, `apidiscovery.k8s.io` v2 and v2beta1. */
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { type DiscoveredResource, type Foreign, type ForeignVersion } from '../../aggregator/types.js'
import { groupsOf } from './groups.js'
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

/** The plain form of another server, in the aggregated one. */
function foreignResources({ group, version, resources }: ForeignVersion): unknown[] {
  const kindOf = (each: DiscoveredResource): object => ({
    group: each.group ?? group,
    version: each.version ?? version,
    kind: each.kind,
  })
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((each) => {
      const below = resources.filter(({ name }) => name.startsWith(`${each.name}/`))
      return {
        resource: each.name,
        responseKind: kindOf(each),
        scope: each.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: each.singularName || each.kind.toLowerCase(),
        verbs: each.verbs,
        ...(each.shortNames && { shortNames: each.shortNames }),
        ...(each.categories && { categories: each.categories }),
        ...(below.length > 0 && {
          subresources: below.map((sub) => ({
            subresource: sub.name.slice(each.name.length + 1),
            responseKind: kindOf(sub),
            verbs: sub.verbs,
          })),
        }),
      }
    })
}

/** @param core the core group alone (`/api`), or all the others (`/apis`) */
export function aggregatedDiscovery(
  catalogue: Catalogue,
  foreign: Foreign,
  core: boolean,
  version: AggregatedVersion,
): unknown {
  const items: unknown[] = []
  for (const { name, versions } of groupsOf(catalogue, foreign)) {
    if ((name === '') !== core) continue
    items.push({
      metadata: { ...(name !== '' && { name }), creationTimestamp: null },
      versions: versions.map((each) => {
        const other = foreign.versions().find(({ group, version }) => group === name && version === each)
        return {
          version: each,
          resources: other
            ? foreignResources(other)
            : resourcesOf(catalogue, name, each).map(discoveredResource),
          freshness: other?.isCurrent === false ? 'Stale' : 'Current',
        }
      }),
    })
  }
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items,
  }
}

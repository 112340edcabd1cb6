/** Discovery in the form of old: a document for the groups, one per group, one per group version. */
import { apiVersionOf } from '../../../apimachinery/meta/types.js'
import { type Catalogue } from '../../registry/strategy.js'
import { type DiscoveredGroup } from './groups.js'
import { resourcesOf, subresourcesOf } from './resources.js'

type Document = Record<string, unknown>

export function apiVersions(catalogue: Catalogue, serverAddress: string): Document {
  const versions: string[] = []
  for (const group of catalogue.groups()) if (group.name === '') versions.push(...group.versions)
  return {
    kind: 'APIVersions',
    versions,
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

function groupDocument(name: string, versions: readonly string[], preferred: string): Document {
  const of = (version: string): Document => ({ groupVersion: `${name}/${version}`, version })
  return { name, versions: versions.map(of), preferredVersion: of(preferred) }
}

export function apiGroupList(all: Iterable<DiscoveredGroup>): Document {
  const groups: Document[] = []
  for (const { name, versions, preferred } of all) {
    if (name !== '') groups.push(groupDocument(name, versions, preferred))
  }
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

export function apiGroup(all: Iterable<DiscoveredGroup>, group: string): Document | undefined {
  for (const { name, versions, preferred } of all) {
    if (name !== group || name === '') continue
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(name, versions, preferred) }
  }
  return undefined
}

/** Groups whose documents lack their own apiVersion on the genuine server. */
const WITHOUT_API_VERSION = new Set(['', 'extensions'])

export function apiResourceList(catalogue: Catalogue, group: string, version: string): Document | undefined {
  const definitions = resourcesOf(catalogue, group, version)
  if (definitions.length === 0) return undefined
  const resources: Document[] = []
  for (const definition of definitions) {
    const { resource, singular, namespaced, kind, verbs, shortNames, categories, storageVersionHash } =
      definition
    resources.push({
      name: resource,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
      ...(storageVersionHash !== '' && { storageVersionHash }),
    })
    for (const below of subresourcesOf(definition)) {
      const foreign = below.group !== group || below.version !== version
      resources.push({
        name: `${resource}/${below.name}`,
        singularName: '',
        namespaced,
        ...(foreign && { group: below.group, version: below.version }),
        kind: below.kind,
        verbs: below.verbs,
      })
    }
  }
  return {
    kind: 'APIResourceList',
    ...(!WITHOUT_API_VERSION.has(group) && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources,
  }
}

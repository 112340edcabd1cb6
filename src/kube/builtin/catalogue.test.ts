import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { type ResourceDefinition } from '../registry/strategy.js'
import { bootstrapObjects, builtinGroups, builtinResources, definitions, protobufPackages } from './index.js'

const DISCOVERY = new URL('../../../../shared/golden/kube-discovery.json', import.meta.url)

interface DiscoveredResource {
  name: string
  kind: string
  group?: string
  version?: string
}

const resources = builtinResources()
const nameOf = (definition: ResourceDefinition): string =>
  `${apiVersionOf(definition)} ${definition.resource}`

/** As discovery lists it: the resource, then what lies below it, by name. */
function discovered(definition: ResourceDefinition): DiscoveredResource[] {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories } = definition
  const own = {
    name: resource,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(definition.storageVersionHash !== '' && { storageVersionHash: definition.storageVersionHash }),
  }
  const below = definition.subresources.map(({ name, kind: of, group, version, verbs: may }) => ({
    name: `${resource}/${name}`,
    singularName: '',
    namespaced,
    kind: of,
    verbs: may,
    ...(group !== undefined && { group }),
    ...(version !== undefined && { version }),
  }))
  return [own, ...below]
}

describe.skipIf(!existsSync(DISCOVERY))('the catalogue (needs ../shared/golden)', () => {
  const recorded = existsSync(DISCOVERY)
    ? (JSON.parse(readFileSync(DISCOVERY, 'utf8')) as Record<string, { resources: DiscoveredResource[] }>)
    : {}

  it('serves every built-in resource of 1.20 as discovery lists it', () => {
    let count = 0
    for (const { name: group, versions } of builtinGroups()) {
      for (const version of versions) {
        const want = recorded[group === '' ? `/api/${version}` : `/apis/${group}/${version}`]?.resources
        const own = resources
          .filter((each) => each.group === group && each.version === version)
          .flatMap(discovered)
        for (const resource of want ?? []) {
          // The registry itself answers these two.
          if (/\/(status|scale)$/.test(resource.name)) continue
          expect(own).toContainEqual(resource)
          count++
        }
      }
    }
    expect(count).toBeGreaterThan(90)
  })
})

describe('every built-in resource', () => {
  it('beside 1.20 includes the four later versions', () => {
    const names = resources.map(nameOf)
    expect(names).toEqual(
      expect.arrayContaining([
        'batch/v1 cronjobs',
        'autoscaling/v2 horizontalpodautoscalers',
        'policy/v1 poddisruptionbudgets',
        'discovery.k8s.io/v1 endpointslices',
      ]),
    )
    expect(new Set(names).size).toBe(names.length)
  })

  it.each(resources.map((definition) => [nameOf(definition), definition] as const))(
    'reads, defaults, converts, prints and checks an empty %s',
    async (_name, definition) => {
      const { strategy, convert, kind } = definition
      const apiVersion = apiVersionOf(definition)
      const body: KubeObject = { apiVersion, kind, metadata: { name: 'x', uid: 'u', namespace: 'n' } }
      const object = strategy.decode(body, { unknown: [], duplicate: [] })
      strategy.applyDefaults(object)

      // Reading what was written, and defaulting it again, changes nothing.
      const again = strategy.decode(structuredClone(object), { unknown: [], duplicate: [] })
      strategy.applyDefaults(again)
      expect(again).toEqual(object)

      const context = {
        ...{ user: { name: 'u', groups: [] }, now: new Date(), dryRun: true, subresource: '' },
        ...{ fieldManager: '', warn: () => undefined },
      }
      await strategy.prepareForCreate?.(object, context)
      expect(Array.isArray(strategy.validate(object, context))).toBe(true)
      expect(Array.isArray(strategy.validateUpdate(object, structuredClone(object), context))).toBe(true)
      expect(strategy.cells(object, new Date())).toHaveLength(strategy.columns.length)
      if (convert) {
        const stored = await convert.toStorage(structuredClone(object))
        expect(stored.apiVersion).toBe(apiVersionOf(definition.storage))
        expect((await convert.fromStorage(stored)).apiVersion).toBe(apiVersion)
      }
    },
  )

  it('shares one key prefix and one storage version with its other versions', () => {
    const stored = new Map<string, string>()
    for (const { keyPrefix, storage, verbs } of resources) {
      // Reviews are answered and not stored.
      if (!verbs.includes('list')) continue
      const version = apiVersionOf(storage)
      expect(stored.get(keyPrefix) ?? version).toBe(version)
      stored.set(keyPrefix, version)
    }
  })
})

describe('PUT', () => {
  const kindsWith = (test: (definition: ResourceDefinition) => boolean): string[] =>
    [...new Set(resources.filter(test).map(({ kind }) => kind))].sort()

  it('creates what is missing for some kinds', () => {
    expect(kindsWith(({ strategy }) => strategy.allowCreateOnUpdate)).toEqual([
      ...['ClusterRole', 'ClusterRoleBinding', 'Endpoints', 'Event', 'Lease', 'LimitRange', 'Role'],
      ...['RoleBinding', 'RuntimeClass', 'Service'],
    ])
  })

  it('needs a resourceVersion for some kinds', () => {
    expect(kindsWith(({ strategy }) => !strategy.allowUnconditionalUpdate)).toEqual([
      ...['APIService', 'CSIDriver', 'CSINode', 'CustomResourceDefinition', 'Lease'],
      ...['MutatingWebhookConfiguration', 'PodDisruptionBudget', 'Service'],
      ...['ValidatingWebhookConfiguration', 'VolumeAttachment'],
    ])
  })
})

describe('the facts', () => {
  it('refer to nothing that is not there', () => {
    const all = definitions()
    const missing = new Set<string>()
    JSON.stringify(all, (key, value: unknown) => {
      if (key !== '$ref' || typeof value !== 'string') return value
      const name = value.slice('#/definitions/'.length)
      if (!(name in all)) missing.add(name)
      return value
    })
    expect([...missing]).toEqual([])
  })

  it('hold the objects of a fresh server and none of the platform', () => {
    const objects = bootstrapObjects()
    expect(objects.clusterroles).toHaveLength(60)
    expect(objects.clusterrolebindings).toHaveLength(41)
    expect(objects.priorityclasses.map(({ metadata }) => metadata.name)).toEqual([
      'system-cluster-critical',
      'system-node-critical',
    ])
    const text = JSON.stringify(objects)
    expect(
      ['kubesphere', 'last-applied', '"resourceVersion"', '"uid"'].filter((word) => text.includes(word)),
    ).toEqual([])
  })

  it('number the fields of the messages', () => {
    expect(protobufPackages()['k8s.io.api.core.v1']?.['Container']?.['image']).toEqual([2, 'string'])
  })
})

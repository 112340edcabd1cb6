/**
 * Fills an empty store from lists of objects, as `kubectl get --raw` or a recording gives them:
 * `{ "<list path>": <List> }`.
 *
 * Objects keep uid, resourceVersion, creationTimestamp and managedFields. An object that is listed under several
 * versions is stored once, from the form that says most. Definitions of custom resources come from YAML files, and
 * get revisions behind all others.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { parseAllDocuments } from 'yaml'
import { apiVersionOf, type KubeObject } from '../apimachinery/meta/types.js'
import { withDefinitionRules } from './apiextensions/rules.js'
import { orderedObject } from './registry/metadata.js'
import { served } from './registry/served.js'
import { type Catalogue, type ResourceDefinition } from './registry/strategy.js'
import { type KeyValue, type Storage } from './storage/interface.js'

export interface ListOfObjects {
  apiVersion?: string
  kind?: string
  metadata?: { resourceVersion?: string }
  items?: KubeObject[]
}

export type StateLists = Record<string, ListOfObjects>

export interface RestoreOptions {
  /** Folder of CustomResourceDefinitions, YAML or JSON. */
  crds?: string
}

interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string
    names: { plural: string; kind: string }
    scope: string
    versions: { name: string; storage: boolean }[]
  }
}

/** Computed by the server, never stored. */
const COMPUTED = new Set(['/api/v1/componentstatuses'])

/**
 * @returns the number of objects stored
 * @throws Error naming the list or file that cannot be understood; the store is untouched then
 */
export async function restoreState(
  storage: Storage,
  catalogue: Catalogue,
  lists: StateLists,
  { crds }: RestoreOptions = {},
): Promise<number> {
  const custom = crds === undefined ? [] : readDefinitions(crds)
  const entries = new Map<string, KeyValue>()
  let revision = 0
  for (const [path, list] of Object.entries(lists)) {
    if (COMPUTED.has(path)) continue
    const place = placeOf(path, catalogue, custom)
    revision = Math.max(revision, numberOf(list.metadata?.resourceVersion))
    for (const item of list.items ?? []) {
      const entry = await entryOf(place, item, path)
      const other = entries.get(entry.key)
      if (!other || entry.value.length > other.value.length) entries.set(entry.key, entry)
      revision = Math.max(revision, entry.modRevision)
    }
  }
  for (const definition of custom) {
    revision++
    const entry = definitionEntry(definition, revision, catalogue)
    if (!entries.has(entry.key)) entries.set(entry.key, entry)
  }
  await storage.load(entries.values(), revision)
  return entries.size
}

/** Where objects of a list are stored, and how they get the stored form. */
interface Place {
  key(namespace: string, name: string): string
  toStorage(object: KubeObject): KubeObject | Promise<KubeObject>
  kind: string
  apiVersion: string
  storedVersion: string
}

function placeOf(path: string, catalogue: Catalogue, custom: readonly CustomResourceDefinition[]): Place {
  const parts = path.split('/').filter((part) => part !== '')
  const [group, version, resource] =
    parts[0] === 'api' ? ['', parts[1], parts[2]] : [parts[1], parts[2], parts[3]]
  if (group === undefined || version === undefined || resource === undefined) {
    throw new Error(`"${path}" is not the path of a list`)
  }
  const builtin = catalogue.get(group, version, resource)
  if (builtin) return builtinPlace(builtin)
  const definition = custom.find(({ spec }) => spec.group === group && spec.names.plural === resource)
  if (!definition) {
    throw new Error(`${path}: no such resource; give the folder of its CustomResourceDefinition with --crds`)
  }
  const { spec } = definition
  const storage = spec.versions.find((candidate) => candidate.storage)?.name ?? version
  const prefix = customKeyPrefix(group, resource)
  return {
    key: (namespace, name) => `${prefix}/${namespace === '' ? '' : `${namespace}/`}${name}`,
    toStorage: (object) => object,
    kind: spec.names.kind,
    apiVersion: `${group}/${version}`,
    storedVersion: `${group}/${storage}`,
  }
}

/** Where objects of a custom resource are kept. */
export function customKeyPrefix(group: string, resource: string): string {
  return `/registry/${group}/${resource}`
}

function builtinPlace(definition: ResourceDefinition): Place {
  const { kind, convert, storage } = definition
  return {
    key: (namespace, name) => served(definition).key(namespace, name),
    toStorage: (object) => convert?.toStorage(object) ?? object,
    kind,
    apiVersion: apiVersionOf(definition),
    storedVersion: apiVersionOf(storage),
  }
}

async function entryOf(place: Place, item: KubeObject, path: string): Promise<KeyValue> {
  const { name, namespace = '', resourceVersion } = item.metadata
  if (!name) throw new Error(`${path}: an object without a name`)
  const modRevision = numberOf(resourceVersion)
  if (modRevision === 0) throw new Error(`${path}: ${name} has no resourceVersion`)
  const stored = await place.toStorage({
    ...structuredClone(item),
    kind: place.kind,
    apiVersion: place.apiVersion,
  })
  const value = Buffer.from(JSON.stringify(orderedObject(stored, place.kind, place.storedVersion)))
  return { key: place.key(namespace, name), value, createRevision: modRevision, modRevision }
}

function definitionEntry(
  definition: CustomResourceDefinition,
  revision: number,
  catalogue: Catalogue,
): KeyValue {
  const kind = catalogue.get('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
  if (!kind) throw new Error('the catalogue lacks customresourcedefinitions')
  const { name = '' } = definition.metadata
  const complete: KubeObject = {
    ...definition,
    metadata: {
      creationTimestamp: new Date(0).toISOString().replace('.000', ''),
      ...definition.metadata,
      uid: definition.metadata.uid ?? randomUUID(),
      generation: definition.metadata.generation ?? 1,
      resourceVersion: String(revision),
    },
  }
  withDefinitionRules(kind).strategy.applyDefaults(complete)
  const value = Buffer.from(JSON.stringify(orderedObject(complete, kind.kind, apiVersionOf(kind.storage))))
  return { key: served(kind).key('', name), value, createRevision: revision, modRevision: revision }
}

function readDefinitions(folder: string): CustomResourceDefinition[] {
  return readdirSync(folder)
    .sort()
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .flatMap((file) =>
      parseAllDocuments(readFileSync(join(folder, file), 'utf8')).flatMap((document) => {
        const [error] = document.errors
        if (error) throw new Error(`${file}: ${error.message}`)
        const object = document.toJS() as CustomResourceDefinition | null
        if (!object) return []
        if (object.kind !== 'CustomResourceDefinition' || object.apiVersion !== 'apiextensions.k8s.io/v1') {
          throw new Error(`${file}: expected a CustomResourceDefinition of apiextensions.k8s.io/v1`)
        }
        return [object]
      }),
    )
}

function numberOf(text: string | undefined): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : 0
}

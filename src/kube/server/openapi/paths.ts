/** The operations of each resource, as `kubectl` reads them: actions, kinds, parameters, body types. */
import { type ResourceDefinition } from '../../registry/strategy.js'
import { subresourcesOf } from '../discovery/resources.js'
import { type Dialect, refTo, type Schema, schemaName } from './schemas.js'

interface Operation {
  verb: string
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  collection: boolean
}

const OPERATIONS: readonly Operation[] = [
  { verb: 'list', method: 'get', collection: true },
  { verb: 'create', method: 'post', collection: true },
  { verb: 'deletecollection', method: 'delete', collection: true },
  { verb: 'get', method: 'get', collection: false },
  { verb: 'update', method: 'put', collection: false },
  { verb: 'patch', method: 'patch', collection: false },
  { verb: 'delete', method: 'delete', collection: false },
]

const QUERY: Record<string, readonly string[]> = {
  list: [
    'allowWatchBookmarks:boolean',
    'continue',
    'fieldSelector',
    'labelSelector',
    'limit:integer',
    'resourceVersion',
    'resourceVersionMatch',
    'sendInitialEvents:boolean',
    'timeoutSeconds:integer',
    'watch:boolean',
  ],
  create: ['dryRun', 'fieldManager', 'fieldValidation'],
  update: ['dryRun', 'fieldManager', 'fieldValidation'],
  patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force:boolean'],
  delete: ['dryRun', 'gracePeriodSeconds:integer', 'orphanDependents:boolean', 'propagationPolicy'],
  deletecollection: ['continue', 'dryRun', 'fieldSelector', 'labelSelector', 'limit:integer'],
  get: [],
}

function parameter(text: string, place: 'query' | 'path', dialect: Dialect): Schema {
  const [name, type = 'string'] = text.split(':')
  return {
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    ...(dialect === 'v2' ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }),
  }
}

const PATCHES = ['application/json-patch+json', 'application/merge-patch+json']
const APPLY = 'application/apply-patch+yaml'
const STRATEGIC = 'application/strategic-merge-patch+json'
const PATCH_REF = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'
const STATUS_REF = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status'

function content(types: readonly string[], schema: Schema): Schema {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

/** Types that answers come in, and bodies unless they are patches. */
function mediaTypes(): string[] {
  return ['application/json', 'application/yaml']
}

interface Target {
  definition: ResourceDefinition
  kind: { group: string; version: string; kind: string }
  schema: string
  idSuffix: string
}

function operation(target: Target, { verb, method }: Operation, dialect: Dialect): Schema {
  const { definition, kind, schema, idSuffix } = target
  const types = mediaTypes()
  const answered = verb === 'list' ? `${schema}List` : verb.startsWith('delete') ? STATUS_REF : schema
  const patches = definition.custom ? [...PATCHES, APPLY] : [...PATCHES, STRATEGIC, APPLY]
  const bodyTypes = verb === 'patch' ? patches : types
  const bodySchema = refTo(verb === 'patch' ? PATCH_REF : schema, dialect)
  const hasBody = method === 'post' || method === 'put' || method === 'patch'
  const parameters = [...(QUERY[verb] ?? []), 'pretty'].map((text) => parameter(text, 'query', dialect))
  const response = { description: 'OK', ...(dialect === 'v2' && { schema: refTo(answered, dialect) }) }
  const answer =
    dialect === 'v3' ? { ...response, content: content(types, refTo(answered, dialect)) } : response
  return {
    operationId: `${verb}${idSuffix}`,
    tags: [`${definition.group || 'core'}_${definition.version}`],
    ...(dialect === 'v2' && { consumes: hasBody ? bodyTypes : ['*/*'], produces: types }),
    parameters: [
      ...(dialect === 'v2' && hasBody
        ? [{ in: 'body', name: 'body', required: true, schema: bodySchema }]
        : []),
      ...parameters,
    ],
    ...(dialect === 'v3' &&
      hasBody && { requestBody: { content: content(bodyTypes, bodySchema), required: true } }),
    responses: { [verb === 'create' ? '201' : '200']: answer, '401': { description: 'Unauthorized' } },
    'x-kubernetes-action': verb === 'create' ? 'post' : verb === 'update' ? 'put' : verb,
    'x-kubernetes-group-version-kind': kind,
  }
}

/** All paths of a resource. @param schemaOf the name of the schema of a subresource's kind */
export function pathsOf(
  definition: ResourceDefinition,
  dialect: Dialect,
  schemaOf: (kind: { group: string; version: string; kind: string }) => string | undefined,
): Record<string, Schema> {
  const { group, version, resource, kind, namespaced, verbs } = definition
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = namespaced ? `${root}/namespaces/{namespace}/${resource}` : `${root}/${resource}`
  const base = namespaced ? ['namespace'] : []
  const paths: Record<string, Schema> = {}
  const own: Target = {
    definition,
    kind: { group, version, kind },
    schema: schemaName(definition),
    idSuffix: `${group.split('.')[0] || 'Core'}${version}${namespaced ? 'Namespaced' : ''}${kind}`,
  }
  const add = (
    path: string,
    names: readonly string[],
    target: Target,
    operations: readonly Operation[],
  ): void => {
    if (operations.length === 0) return
    paths[path] = {
      ...Object.fromEntries(operations.map((each) => [each.method, operation(target, each, dialect)])),
      ...(names.length > 0 && { parameters: names.map((name) => parameter(name, 'path', dialect)) }),
    }
  }
  const served = OPERATIONS.filter(({ verb }) => verbs.includes(verb))
  add(
    scope,
    base,
    own,
    served.filter(({ collection }) => collection),
  )
  add(
    `${scope}/{name}`,
    ['name', ...base],
    own,
    served.filter(({ collection }) => !collection),
  )
  if (namespaced) {
    const everywhere = { ...own, idSuffix: `${own.idSuffix}ForAllNamespaces` }
    add(
      `${root}/${resource}`,
      [],
      everywhere,
      served.filter(({ verb }) => verb === 'list'),
    )
  }
  for (const below of subresourcesOf(definition)) {
    const { group, version, kind, name } = below
    const schema = schemaOf({ group, version, kind })
    if (schema === undefined) continue
    const target = { definition, kind: { group, version, kind }, schema, idSuffix: `${own.idSuffix}_${name}` }
    const operations = OPERATIONS.filter(
      ({ verb, collection }) => below.verbs.includes(verb) && (!collection || verb === 'create'),
    )
    add(`${scope}/{name}/${name}`, ['name', ...base], target, operations)
  }
  return paths
}

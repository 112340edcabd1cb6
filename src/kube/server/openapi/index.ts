/**
 * `/openapi/v2` and `/openapi/v3`: the schema of what is served now.
 *
 * v3 is cut by group version, with an index of URLs that carry a hash; the hash is of what the document is
 * made from, so the index costs nothing. Documents are made when asked for, once per change.
 */
import { createHash } from 'node:crypto'
import { methodNotAllowed, notAcceptable } from '../../../apimachinery/errors/index.js'
import { type Definition } from '../../../apimachinery/schema/index.js'
import { type Catalogue, type ResourceDefinition } from '../../registry/strategy.js'
import { type Foreign } from '../../aggregator/types.js'
import { resourcesOf } from '../discovery/resources.js'
import { type PathHandler } from '../dispatch.js'
import { type Exchange } from '../exchange.js'
import { type VersionInfo } from '../interfaces.js'
import { parseAccept } from '../negotiate.js'
import { pathsOf } from './paths.js'
import { OPENAPI_PROTOBUF, openApiProtobuf } from './protobuf.js'
import { describedMetadata } from './metadata.js'
import {
  builtinSchema,
  customSchemas,
  type Dialect,
  OBJECT_META,
  type Schema,
  schemaName,
} from './schemas.js'

const ALWAYS = ['ObjectMeta', 'ListMeta', 'Status', 'Patch', 'DeleteOptions'].map(
  (name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`,
)

interface Made {
  mediaType: string
  bytes: Buffer
  etag: string
}

export function openApiPaths(
  catalogue: Catalogue,
  definitions: Readonly<Record<string, Definition>>,
  version: VersionInfo,
  foreign: Foreign,
): PathHandler {
  const cache = new Map<string, Made | undefined>()
  let revision = -1
  const info = { title: 'Kubernetes', version: version.gitVersion }

  function made(key: string, make: () => unknown, mediaType: string = JSON_TYPE): Made | undefined {
    // Both only grow.
    const current = catalogue.revision + foreign.revision
    if (revision !== current) {
      cache.clear()
      revision = current
    }
    if (!cache.has(key)) {
      const value = make()
      const bytes = Buffer.isBuffer(value)
        ? value
        : Buffer.from(value === undefined ? '' : JSON.stringify(value))
      const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`
      cache.set(key, value === undefined ? undefined : { mediaType, bytes, etag })
    }
    return cache.get(key)
  }

  const byKind = new Map<string, string>()
  for (const [name, node] of Object.entries(definitions)) {
    const kinds = (node as Schema)['x-kubernetes-group-version-kind']
    if (!Array.isArray(kinds)) continue
    for (const { group, version, kind } of kinds as { group: string; version: string; kind: string }[]) {
      byKind.set(`${group}/${version}/${kind}`, name)
    }
  }

  /** Schemas and paths of some resources, with all they refer to. */
  function documentOf(resources: readonly ResourceDefinition[], dialect: Dialect): [Schema, Schema] {
    const schemas: Record<string, unknown> = {}
    const paths: Schema = {}
    const waiting = [...ALWAYS]
    const found = (name: string): void => {
      if (!(name in schemas)) waiting.push(name)
    }
    for (const definition of resources) {
      const { schema } = definition.strategy
      if ('builtin' in schema) {
        found(schema.builtin)
        found(`${schema.builtin}List`)
      } else Object.assign(schemas, customSchemas(definition, dialect))
      const own = schemaName(definition)
      const schemaOf = (kind: { group: string; version: string; kind: string }): string | undefined => {
        if (kind.kind === definition.kind && kind.group === definition.group) return own
        const name = byKind.get(`${kind.group}/${kind.version}/${kind.kind}`)
        if (name !== undefined) found(name)
        return name
      }
      Object.assign(paths, pathsOf(definition, dialect, schemaOf))
    }
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (name in schemas || !Object.hasOwn(definitions, name)) continue
      schemas[name] = {}
      const schema = builtinSchema(definitions[name], dialect, found) as Schema
      schemas[name] = name === OBJECT_META ? describedMetadata(schema) : schema
    }
    return [schemas, paths]
  }

  function groupVersions(): { path: string; group: string; version: string }[] {
    const list = []
    for (const { name: group, versions } of catalogue.groups()) {
      for (const version of versions) {
        const path = group === '' ? `api/${version}` : `apis/${group}/${version}`
        list.push({ path, group, version })
      }
    }
    return list
  }

  function hashOf(resources: readonly ResourceDefinition[]): string {
    const hash = createHash('sha256').update(version.gitVersion)
    for (const { resource, kind, verbs, strategy, scale } of resources) {
      hash.update(
        JSON.stringify([resource, kind, verbs, strategy.schema, strategy.statusSubresource, scale ?? null]),
      )
    }
    return hash.digest('hex').toUpperCase()
  }

  function index(): unknown {
    const paths = groupVersions().map(({ path, group, version }) => {
      const hash = hashOf(resourcesOf(catalogue, group, version))
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const
    })
    // Those of other servers are asked of them.
    for (const { group, version: of, resources } of foreign.versions()) {
      const path = `apis/${group}/${of}`
      const hash = createHash('sha256').update(JSON.stringify(resources)).digest('hex').toUpperCase()
      paths.push([path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }])
    }
    return { paths: Object.fromEntries(paths) }
  }

  function v3(path: string): unknown {
    const wanted = groupVersions().find((each) => each.path === path)
    if (!wanted) return undefined
    const [schemas, paths] = documentOf(resourcesOf(catalogue, wanted.group, wanted.version), 'v3')
    return { openapi: '3.0.0', info, paths, components: { schemas } }
  }

  function v2(): unknown {
    const [schemas, paths] = documentOf([...catalogue.all()], 'v2')
    for (const { group, openapi } of foreign.versions()) {
      for (const [path, item] of Object.entries(openapi?.paths ?? {})) {
        if (path.startsWith(`/apis/${group}/`)) paths[path] ??= item
      }
      for (const [name, schema] of Object.entries(openapi?.definitions ?? {})) schemas[name] ??= schema
    }
    return { swagger: '2.0', info, paths, definitions: schemas }
  }

  return (exchange) => {
    const { path } = exchange.requestInfo
    const document =
      path === '/openapi/v2'
        ? () => {
            const preferred = parseAccept(exchange.header('accept')).find(({ type }) => V2_TYPES.has(type))
            if (!preferred || !OPENAPI_PROTOBUF.includes(preferred.type)) return made('v2', v2)
            return made('v2 protobuf', () => openApiProtobuf(v2()), OPENAPI_PROTOBUF[1])
          }
        : path === '/openapi/v3' || path === '/openapi/v3/'
          ? () => made('v3', index)
          : path.startsWith('/openapi/v3/')
            ? () => made(path, () => v3(path.slice('/openapi/v3/'.length)))
            : undefined
    if (!document) return false
    if (exchange.method !== 'GET') throw methodNotAllowed()
    if (!accepts(exchange, path === '/openapi/v2' ? V2_TYPES : JSON_TYPES)) {
      throw notAcceptable(path === '/openapi/v2' ? [JSON_TYPE, ...OPENAPI_PROTOBUF] : [JSON_TYPE])
    }
    const found = document()
    if (!found) return false
    answer(exchange, found)
    return true
  }
}

const JSON_TYPE = 'application/json'
const JSON_TYPES = new Set([JSON_TYPE, 'application/*', '*/*'])
const V2_TYPES = new Set([...JSON_TYPES, ...OPENAPI_PROTOBUF])

function accepts(exchange: Exchange, types: ReadonlySet<string>): boolean {
  const header = exchange.header('accept')
  return header === '' || parseAccept(header).some(({ type }) => types.has(type))
}

function answer(exchange: Exchange, { mediaType, bytes, etag }: Made): void {
  const headers = { etag, vary: 'Accept' }
  if (exchange.header('if-none-match') === etag) {
    exchange.head(304, headers)
    exchange.end()
    return
  }
  // A URL with its hash may be kept for good.
  const forever = exchange.query.has('hash') && { 'cache-control': 'public, immutable' }
  exchange.answer(200, mediaType, bytes, { ...headers, ...forever })
}

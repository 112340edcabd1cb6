/**
 * Which form the answer takes: media type, transformation (Table, PartialObjectMetadata), layout.
 *
 * JSON, YAML, and protobuf for what has a message: not for custom resources, never for a Table.
 */
import { notAcceptable, StatusError } from '../../apimachinery/errors/index.js'
import { apiVersionOf } from '../../apimachinery/meta/types.js'
import { hasMessage, PROTOBUF } from '../protobuf/index.js'
import { type ResourceDefinition } from '../registry/strategy.js'
import { type Exchange } from './exchange.js'

export type Transformation = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Negotiated {
  mediaType: 'application/json' | 'application/yaml' | typeof PROTOBUF
  /** Written into Content-Type: the media type, and for discovery its parameters. */
  transform?: { kind: Transformation; version: 'v1' | 'v1beta1' }
  pretty: boolean
}

export interface AcceptClause {
  type: string
  params: Readonly<Record<string, string>>
  q: number
}

/** The clauses of an Accept header, the preferred ones first. */
export function parseAccept(header: string): AcceptClause[] {
  return header
    .split(',')
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((text) => text.trim())
      const params: Record<string, string> = {}
      for (const text of rest) {
        const equals = text.indexOf('=')
        if (equals > 0) params[text.slice(0, equals)] = text.slice(equals + 1).replace(/^"|"$/g, '')
      }
      return { type: type.toLowerCase(), params, q: params.q === undefined ? 1 : Number(params.q) || 0 }
    })
    .filter((clause) => clause.type !== '' && clause.q > 0)
    .sort((a, b) => b.q - a.q)
}

/** Clients that a person looks at get indented JSON unless they say otherwise. */
const PERSONAL = /^(curl\/|Wget\/|Mozilla\/5\.0)/

export function wantsPretty(exchange: Exchange): boolean {
  const asked = exchange.query.get('pretty')
  if (asked !== null) return asked !== '0' && asked.toLowerCase() !== 'false'
  return PERSONAL.test(exchange.header('user-agent'))
}

function mediaTypeOf(type: string): Negotiated['mediaType'] | undefined {
  if (type === PROTOBUF) return PROTOBUF
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json'
  if (type === 'application/yaml') return 'application/yaml'
  return undefined
}

const TRANSFORMS: Record<string, readonly Transformation[]> = {
  get: ['Table', 'PartialObjectMetadata'],
  list: ['Table', 'PartialObjectMetadataList'],
  watch: ['Table', 'PartialObjectMetadata'],
}

function transformOf(
  params: Readonly<Record<string, string>>,
  allowed: readonly Transformation[],
): Negotiated['transform'] | 'none' | 'unsupported' {
  if (params.as === undefined) return 'none'
  const { as, g, v } = params
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return 'unsupported'
  const kind = allowed.find((name) => name === as)
  return kind ? { kind, version: v } : 'unsupported'
}

/** Whether an answer has a message: metadata alone always has, a Table never. */
function isWritable(
  definition: ResourceDefinition | undefined,
  transform: ReturnType<typeof transformOf>,
): boolean {
  if (typeof transform === 'object') return transform.kind !== 'Table'
  return (
    !definition || (!definition.custom && hasMessage({ ...definition, apiVersion: apiVersionOf(definition) }))
  )
}

/** The types offered for a resource, as error texts list them. */
export function offered(definition: ResourceDefinition | undefined): string[] {
  const types = ['application/json', 'application/yaml']
  return definition?.custom ? types : [...types, PROTOBUF]
}

/**
 * @param verb decides which transformations there are: `get`, `list`, `watch`; others have none
 * @throws StatusError 406
 */
export function negotiate(
  exchange: Exchange,
  definition: ResourceDefinition | undefined,
  verb: string,
): Negotiated {
  const pretty = wantsPretty(exchange)
  const header = exchange.header('accept')
  if (header === '') return { mediaType: 'application/json', pretty }
  const allowed = TRANSFORMS[verb] ?? []
  let known = false
  for (const { type, params } of parseAccept(header)) {
    const mediaType = mediaTypeOf(type)
    if (!mediaType) continue
    known = true
    if (verb === 'watch' && mediaType === 'application/yaml') continue
    const transform = transformOf(params, allowed)
    if (transform === 'unsupported') continue
    if (mediaType === PROTOBUF && !isWritable(definition, transform)) continue
    return { mediaType, pretty, ...(transform !== 'none' && transform && { transform }) }
  }
  // Built-in routes refuse a foreign type before they look at the kind, in other words.
  if (!known && definition && !definition.custom) {
    throw new StatusError({
      code: 406,
      reason: 'NotAcceptable',
      message: '406: Not Acceptable',
      details: {},
    })
  }
  throw notAcceptable(offered(definition))
}

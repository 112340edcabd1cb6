/** The OpenAPI 3 document of the declared routes. */
import { type TSchema } from '../apimachinery/schema/type.js'
import { type DeclaredRoute, everyRoute } from './everyroute.js'
import { type ApiGroup, type ErrorForm } from './route.js'

export interface OpenApiInfo {
  title: string
  version: string
}

type Json = Record<string, unknown>

const ERROR_BODIES: Record<ErrorForm, Json> = {
  text: { 'text/plain': { schema: { type: 'string' } } },
  message: json({ type: 'object', properties: { message: { type: 'string' } } }),
  status: json({ $ref: '#/components/schemas/Status' }),
  oauth: json({
    type: 'object',
    properties: { error: { type: 'string' }, error_description: { type: 'string' } },
  }),
}

const STATUS: Json = {
  type: 'object',
  description: 'The answer of the filters to a request that they refuse.',
  properties: {
    kind: { const: 'Status' },
    apiVersion: { const: 'v1' },
    status: { enum: ['Success', 'Failure'] },
    message: { type: 'string' },
    reason: { type: 'string' },
    details: { type: 'object' },
    code: { type: 'integer' },
  },
}

export function openApiDocument(groups: readonly ApiGroup[], info: OpenApiInfo): Json {
  const paths: Record<string, Json> = {}
  for (const declared of everyRoute(groups)) {
    const path = declared.path.replace(/:\*\}/g, '}') || '/'
    const operations = (paths[path] ??= {})
    operations[declared.route.method.toLowerCase()] = operation(declared, path)
  }
  return {
    openapi: '3.1.0',
    info,
    tags: [...new Set(groups.map(({ title }) => title))].map((name) => ({ name })),
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: {
      schemas: { Status: STATUS },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        basic: { type: 'http', scheme: 'basic' },
      },
    },
  }
}

function operation({ group, route }: DeclaredRoute, path: string): Json {
  const { summary, method, access, produces, returns } = route
  const types = produces ?? ['application/json']
  const answer = Object.fromEntries(types.map((type) => [type, returns ? { schema: plain(returns) } : {}]))
  return {
    tags: [group.title],
    operationId: `${method.toLowerCase()}${path.replace(/[{}]/g, '').replace(/[^A-Za-z0-9]+/g, '_')}`,
    summary,
    ...(access === 'public' && { security: [] }),
    parameters: [...pathParameters(path), ...queryParameters(route.query)],
    ...requestBody(route.body, route.consumes),
    responses: {
      200: { description: 'OK', content: answer },
      default: { description: 'Error', content: ERROR_BODIES[route.errors ?? group.errors] },
    },
  }
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(schema: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(typeof value['description'] === 'string' && { description: value['description'] }),
    schema: plain(value),
  }))
}

function requestBody(schema: TSchema | undefined, consumes: readonly string[] | undefined): Json {
  if (!schema && !consumes) return {}
  const types = consumes ?? ['application/json']
  const content = Object.fromEntries(types.map((type) => [type, schema ? { schema: plain(schema) } : {}]))
  return { requestBody: { required: true, content } }
}

function json(schema: Json): Json {
  return { 'application/json': { schema } }
}

/** Without what the schema library keeps for itself. */
function plain(schema: object): unknown {
  return JSON.parse(JSON.stringify(schema)) as unknown
}

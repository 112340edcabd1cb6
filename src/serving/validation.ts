/** Checks query and body against the schemas of a route. Schemas are compiled on first use. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { type TSchema } from '../apimachinery/schema/type.js'
import { badRequest } from '../apimachinery/errors/index.js'
import { goTypeOf } from '../apimachinery/json/value.js'

/** @throws StatusError 400 naming the first fault */
export type Check<T> = (value: T) => void

type Errors = ErrorObject[] | null | undefined

// Schemas written for documentation carry keywords and formats that ajv does not know.
const BODY = { strict: false, validateFormats: false, allErrors: false }
let bodies: Ajv | undefined
let queries: Ajv | undefined

export function bodyCheck(schema: TSchema): Check<unknown> {
  let validate: ValidateFunction | undefined
  return (body) => {
    validate ??= (bodies ??= new Ajv(BODY)).compile(schema)
    if (!validate(body))
      throw badRequest(unfit(body, schema, validate.errors) ?? fault('body', validate.errors))
  }
}

/** Of a schema that has a type for its title: what clients of the original show when the body is something else. */
function unfit(body: unknown, schema: TSchema, errors: Errors): string | undefined {
  const [first] = errors ?? []
  const { title } = schema as { title?: string }
  if (title === undefined || first?.instancePath !== '' || first.keyword !== 'type') return undefined
  return `json: cannot unmarshal ${goTypeOf(body)} into Go value of type ${title}`
}

/** Values are text; where the schema wants a number, a boolean or a list, the text must be one. */
export function queryCheck(schema: TSchema): Check<URLSearchParams> {
  let validate: ValidateFunction | undefined
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {}
  return (query) => {
    validate ??= (queries ??= new Ajv({ ...BODY, coerceTypes: true })).compile(schema)
    const values: Record<string, unknown> = {}
    for (const key of query.keys()) {
      if (!Object.hasOwn(properties, key)) continue
      values[key] = properties[key]?.type === 'array' ? query.getAll(key) : query.get(key)
    }
    if (!validate(values)) throw badRequest(fault('query', validate.errors))
  }
}

function fault(where: string, errors: Errors): string {
  const first = errors?.[0]
  if (!first) return `${where} is invalid`
  return `${where}${first.instancePath.replaceAll('/', '.')} ${first.message ?? 'is invalid'}`
}

/**
 * What becomes of an object by changing one thing: each of its values replaced by others of its type and by wrong ones,
 * removed, doubled; each field that the schema knows and it has not, put in. The same every time.
 */
import { definitions, type SchemaNode } from '../../src/kube/builtin/data.js'

export interface Change {
  /** `spec.ports[0].port = 0` */
  what: string
  /** Without positions, for counting. */
  place: string
  object: unknown
}

type Path = readonly (string | number)[]

const TEXTS = ['', 'Bad_Value!', 'x', '-a', `${'a'.repeat(64)}`, 'a/b', '10.0.0.300', '/../x']
const NUMBERS = [0, -1, 70_000, 2 ** 31]
const MISSING = Symbol('missing')

export function changesOf(object: object, definition: string): Change[] {
  const changes: Change[] = []
  walk(object, { $ref: `#/definitions/${definition}` }, [])
  return changes

  function walk(value: unknown, given: SchemaNode, path: Path): void {
    const node = resolved(given)
    const top = path[0]
    if (path.length === 1 && (top === 'kind' || top === 'apiVersion' || top === 'status')) return
    if (top === 'metadata' && !METADATA.has(String(path[1] ?? 'labels'))) return
    if (path.length > 0) {
      for (const other of othersFor(value, node)) add(path, other)
      add(path, MISSING)
    }
    if (Array.isArray(value)) {
      add(path, [])
      value.forEach((each, i) => walk(each, node.items ?? {}, [...path, i]))
      if (value.length > 0) add(path, [...(value as unknown[]), structuredClone(value[0])])
      return
    }
    if (typeof value !== 'object' || value === null) return
    const known = node.properties ?? {}
    for (const [key, each] of Object.entries(value)) {
      walk(each, known[key] ?? node.additionalProperties ?? {}, [...path, key])
    }
    if (path.length > 0 && node.additionalProperties) {
      add([...path, 'Not Good!'], Object.values(value)[0])
      add([...path, ''], Object.values(value)[0])
    }
    for (const [key, each] of Object.entries(known)) {
      if (Object.hasOwn(value, key) || path.length === 0 || path[0] === 'metadata') continue
      for (const added of filling(each)) add([...path, key], added)
    }
  }

  function add(path: Path, value: unknown): void {
    const text = value === MISSING ? 'missing' : JSON.stringify(value)
    changes.push({
      what: `${written(path)} = ${text.length > 80 ? `${text.slice(0, 80)}...` : text}`,
      place: written(path.map((part) => (typeof part === 'number' ? 0 : part))).replaceAll('[0]', '[]'),
      object: put(structuredClone(object), path, value),
    })
  }
}

const METADATA = new Set(['name', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'generateName'])

function resolved(node: SchemaNode): SchemaNode {
  if (node.$ref === undefined) return node
  return definitions()[node.$ref.slice('#/definitions/'.length)] ?? {}
}

function othersFor(value: unknown, node: SchemaNode): unknown[] {
  if (typeof value === 'string' && node.format === 'byte') return ['', '!!', 'YQ==']
  if (typeof value === 'string') return TEXTS
  if (typeof value === 'number') return [...NUMBERS, value + 1, 'x']
  if (typeof value === 'boolean') return [!value, 'x']
  if (Array.isArray(value)) return ['x']
  return [{}]
}

/** What a field that was absent may get. */
function filling(given: SchemaNode): unknown[] {
  const node = resolved(given)
  if (node.items) return [[], [filling(node.items)[0]]]
  if (node.additionalProperties) return [{}, { a: filling(node.additionalProperties)[0] }]
  if (node.properties) return [{}]
  switch (node.type) {
    case 'string':
      return node.format === 'byte' ? ['YQ=='] : node.format === 'date-time' ? [] : ['x', '']
    case 'integer':
    case 'number':
      return [1, -1]
    case 'boolean':
      return [true]
    default:
      return []
  }
}

function written(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1)
}

function put(object: unknown, path: Path, value: unknown): unknown {
  const [head, ...rest] = path
  if (head === undefined) return value
  const container = object as Record<string | number, unknown>
  if (rest.length > 0) {
    container[head] = put(container[head], rest, value)
    return container
  }
  if (value !== MISSING) container[head] = value
  else if (Array.isArray(container)) container.splice(Number(head), 1)
  else delete container[head]
  return container
}

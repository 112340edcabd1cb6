/** Fields of objects that come from clients: read with care, and compared. */
import { badRequest } from '../apimachinery/errors/index.js'
import { equal, isObject } from '../apimachinery/json/index.js'
import { type PolicyRule } from '../apimachinery/rbac/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'

type Object = KubeObject | undefined

export function label(object: Object, key: string): unknown {
  return textAt(object?.metadata.labels, key)
}

export function annotation(object: Object, key: string): unknown {
  return textAt(object?.metadata.annotations, key)
}

/** Whether a write sets, changes or removes the value. */
export function changes(read: (object: Object) => unknown, before: Object, after: Object): boolean {
  return !equal(read(before), read(after))
}

/** What is no text is left as it is: the API will refuse it, and no policy may take it for something absent. */
function textAt(map: unknown, key: string): unknown {
  return isObject(map) && Object.hasOwn(map, key) ? map[key] : undefined
}

const LISTS = ['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const

/** @throws StatusError 400 for what cannot be compared with other rules */
export function rulesOf(object: KubeObject): PolicyRule[] {
  const rules = object['rules']
  if (rules === undefined || rules === null) return []
  if (Array.isArray(rules) && rules.every(isRule)) return rules
  throw badRequest('rules: a list of rules is wanted, whose fields are lists of texts')
}

function isRule(value: unknown): value is PolicyRule {
  return (
    isObject(value) &&
    LISTS.every((list) => {
      const texts = value[list]
      return (
        texts === undefined ||
        texts === null ||
        (Array.isArray(texts) && texts.every((text) => typeof text === 'string'))
      )
    })
  )
}

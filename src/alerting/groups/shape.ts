/** Whether an object that has not met its schema yet is built like a group; if not, the schema is going to refuse it. */
import { isObject } from '../../apimachinery/json/index.js'
import { type GroupObject } from './types.js'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number'
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value)
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check)
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([field, check]) => check(value[field]))

const texts = optional(mapOf(isText))
const isScoped = fields({ cluster: isText, namespace: optional(isText), names: optional(listOf(isText)) })
const isBuilder = optional(
  fields({
    kind: optional(isText),
    comparator: optional(isText),
    names: optional(listOf((name) => isText(name) || isScoped(name))),
    metricThreshold: optional(mapOf(optional(mapOf(isNumber)))),
  }),
)
const isSelector = optional(
  fields({
    inValues: optional(listOf(isText)),
    matcher: optional(fields({ type: optional(isText), value: optional(isText) })),
  }),
)
const isRule = fields({
  alert: optional(isText),
  expr: optional((value) => isText(value) || isNumber(value)),
  for: optional(isText),
  severity: optional(isText),
  labels: texts,
  annotations: texts,
  exprBuilder: optional(fields({ workload: isBuilder, node: isBuilder })),
  clusterSelector: isSelector,
  namespaceSelector: isSelector,
})
const isGroup = fields({
  spec: optional(
    fields({
      interval: optional(isText),
      partial_response_strategy: optional(isText),
      rules: optional(listOf(isRule)),
    }),
  ),
})

export function isGroupObject(object: unknown): object is GroupObject {
  return isGroup(object)
}

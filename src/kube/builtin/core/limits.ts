/** v1 ResourceQuota and LimitRange. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  forbidden,
  immutable,
  go,
  goTexts,
  invalidValue,
  qualifiedName,
  required,
} from '../faults.js'
import { resourceName } from '../pods/resources.js'
import { type KindRules } from '../rules.js'
import { type ResourceList } from '../types.js'
import { compareQuantities, isNegative, isWhole } from '../wire/quantity.js'

interface ScopeRequirement {
  scopeName: string
  operator: string
  values?: string[]
}

interface ResourceQuota extends KubeObject {
  spec: { hard?: ResourceList; scopes?: string[]; scopeSelector?: { matchExpressions?: ScopeRequirement[] } }
  status: { hard?: ResourceList; used?: ResourceList }
}

const quotaView = (object: object) => object as ResourceQuota

const SCOPES = ['BestEffort', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating']

/** Objects are counted in whole numbers. */
const COUNTS = new Set([
  ...['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
])

export const resourceQuota: KindRules = {
  validate: (object) => quotaFaults(quotaView(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [quotaView(object).spec, quotaView(previous).spec]
    return immutable('spec.scopes', after.scopes, before.scopes, goScopes(after.scopes))
  },
}

const goScopes = (scopes: readonly string[] | undefined): unknown =>
  go(
    scopes === undefined
      ? '[]core.ResourceQuotaScope(nil)'
      : `[]core.ResourceQuotaScope{${scopes.map((scope) => JSON.stringify(scope)).join(', ')}}`,
  )

/** What pods use, and what only pods that are best at nothing may be counted for. */
const POD_RESOURCES = [
  ...['pods', 'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'limits.cpu'],
  ...['limits.memory', 'requests.ephemeral-storage', 'limits.ephemeral-storage'],
]

function fits(scope: string, resource: string): boolean {
  switch (scope) {
    case 'BestEffort':
      return resource === 'pods'
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
      return POD_RESOURCES.includes(resource)
    default:
      return true
  }
}

const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

function quotaFaults({ hard = {}, scopes = [], scopeSelector }: ResourceQuota['spec']): Faults {
  const faults = Object.entries(hard).flatMap(([name, quantity]) => {
    const at = `spec.hard[${name}]`
    return [...quotaResourceName(at, name), ...quantityFaults(at, name, quantity)]
  })
  const misfit = (scope: string): boolean => Object.keys(hard).some((name) => !fits(scope, name))
  for (const scope of scopes) {
    if (!SCOPES.includes(scope))
      faults.push(invalidValue('spec.scopes', goScopes(scopes), 'unsupported scope'))
    if (misfit(scope)) {
      faults.push(invalidValue('spec.scopes', goScopes(scopes), 'unsupported scope applied to resource'))
    }
  }
  for (const pair of OPPOSITES) {
    if (pair.every((scope) => scopes.includes(scope))) {
      faults.push(invalidValue('spec.scopes', goScopes(scopes), 'conflicting scopes'))
    }
  }
  const requirements = scopeSelector?.matchExpressions ?? []
  // Without positions.
  const at = 'spec.scopeSelector.matchExpressions'
  const whole = go('core.ScopeSelector{}')
  for (const { scopeName, operator, values = [] } of requirements) {
    if (!SCOPES.includes(scopeName))
      faults.push(invalidValue(`${at}.scopeName`, scopeName, 'unsupported scope'))
    if (misfit(scopeName)) {
      faults.push(invalidValue('spec.scopeSelector', whole, 'unsupported scope applied to resource'))
    }
    if (scopeName !== 'PriorityClass' && SCOPES.includes(scopeName) && operator !== 'Exists') {
      const why =
        "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort and ResourceQuotaScopeNotBestEffort"
      faults.push(invalidValue(`${at}.operator`, operator, why))
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        faults.push(required(`${at}.values`, why))
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        faults.push(invalidValue(`${at}.values`, goTexts(values), why))
      }
    } else faults.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'))
  }
  for (const pair of OPPOSITES) {
    if (pair.every((scope) => requirements.some(({ scopeName }) => scopeName === scope))) {
      faults.push(invalidValue('spec.scopeSelector', whole, 'conflicting scopes'))
    }
  }
  return faults
}

function quotaResourceName(field: string, name: string): Faults {
  // "count/deployments.apps", "gold.storageclass.storage.k8s.io/requests.storage"
  return resourceName(field, name)
}

function quantityFaults(field: string, name: string, quantity: string): Faults {
  if (isNegative(quantity)) return [invalidValue(field, quantity, 'must be greater than or equal to 0')]
  if (COUNTS.has(name) && !isWhole(quantity)) return [invalidValue(field, quantity, 'must be an integer')]
  return []
}

interface LimitRangeItem {
  type: string
  max?: ResourceList
  min?: ResourceList
  default?: ResourceList
  defaultRequest?: ResourceList
  maxLimitRequestRatio?: ResourceList
}

interface LimitRange extends KubeObject {
  spec: { limits: LimitRangeItem[] | null }
}

const rangeView = (object: object) => object as LimitRange

export const limitRange: KindRules = {
  defaults(object) {
    for (const item of rangeView(object).spec.limits ?? []) {
      if (item.type !== 'Container') continue
      // Limits default to the maximum, requests to the limit, then to the minimum.
      for (const [name, max] of Object.entries(item.max ?? {})) {
        item.default ??= {}
        item.default[name] ??= max
      }
      for (const [name, limit] of Object.entries(item.default ?? {})) {
        item.defaultRequest ??= {}
        item.defaultRequest[name] ??= limit
      }
      for (const [name, min] of Object.entries(item.min ?? {})) {
        item.defaultRequest ??= {}
        item.defaultRequest[name] ??= min
      }
    }
  },
  validate(object) {
    const seen = new Set<string>()
    return (rangeView(object).spec.limits ?? []).flatMap((item, i) => {
      const at = `spec.limits[${i}]`
      const faults: Faults = seen.has(item.type) ? [duplicate(`${at}.type`, item.type)] : []
      seen.add(item.type)
      if (item.type === '' || !(LIMIT_TYPES.includes(item.type) || item.type.includes('/'))) {
        const wrong = qualifiedName(`${at}.type`, item.type)
        faults.push(...wrong)
        if (wrong.length === 0 && !item.type.includes('/')) {
          faults.push(
            invalidValue(`${at}.type`, item.type, 'must be a standard limit type or fully qualified'),
          )
        }
      } else if (item.type.includes('/')) faults.push(...qualifiedName(`${at}.type`, item.type))
      return [...faults, ...itemFaults(at, item)]
    })
  },
}

const LIMIT_TYPES = ['Container', 'PersistentVolumeClaim', 'Pod']

function itemFaults(field: string, item: LimitRangeItem): Faults {
  const { max = {}, min = {}, default: limit = {}, defaultRequest = {}, type } = item
  const faults: Faults = []
  if (type === 'Pod') {
    const why = 'may not be specified when `type` is "Pod"'
    if (item.default) faults.push(forbidden(`${field}.default`, why))
    if (item.defaultRequest) faults.push(forbidden(`${field}.defaultRequest`, why))
  }
  if (type === 'PersistentVolumeClaim' && max['storage'] === undefined && min['storage'] === undefined) {
    const why = 'either minimum or maximum storage value is required, but neither was provided'
    faults.push(required(`${field}.limits`, why))
  }
  const order = (
    part: string,
    name: string,
    small: string | undefined,
    large: string | undefined,
    what: string,
  ) => {
    if (small !== undefined && large !== undefined && compareQuantities(small, large) > 0) {
      faults.push(invalidValue(`${field}.${part}[${name}]`, small, what.replace('%', large)))
    }
  }
  for (const name of new Set([...Object.keys(max), ...Object.keys(min), ...Object.keys(limit)])) {
    order('min', name, min[name], max[name], 'min value is greater than max value %')
    order(
      'defaultRequest',
      name,
      min[name],
      defaultRequest[name],
      'min value is greater than default request value %',
    )
    order(
      'defaultRequest',
      name,
      defaultRequest[name],
      max[name],
      'default request value is greater than max value %',
    )
    order(
      'defaultRequest',
      name,
      defaultRequest[name],
      limit[name],
      'default request value is greater than default limit value %',
    )
    order('default', name, min[name], limit[name], 'min value is greater than default value %')
    order('default', name, limit[name], max[name], 'default value is greater than max value %')
  }
  return faults
}

/** rbac.authorization.k8s.io: roles and bindings. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type Faults,
  go,
  goTexts,
  immutable,
  invalidValue,
  isReadable,
  labelSelector,
  required,
  unsupported,
} from '../faults.js'
import { type KindRules } from '../rules.js'
import { type LabelSelector } from '../types.js'

const GROUP = 'rbac.authorization.k8s.io'

interface PolicyRule {
  verbs: string[] | null
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  nonResourceURLs?: string[]
}

interface Role extends KubeObject {
  rules: PolicyRule[] | null
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] }
}

interface RoleRef {
  apiGroup: string
  kind: string
  name: string
}

interface Subject {
  kind: string
  apiGroup?: string
  name: string
  namespace?: string
}

interface Binding extends KubeObject {
  subjects?: Subject[]
  roleRef: RoleRef
}

const roleView = (object: object) => object as Role
const bindingView = (object: object) => object as Binding

const shared: KindRules = { nameRule: 'path-segment', allowCreateOnUpdate: true }

function ruleFaults(field: string, rule: PolicyRule, namespaced: boolean): Faults {
  const faults: Faults = []
  if ((rule.verbs ?? []).length === 0) {
    faults.push(required(`${field}.verbs`, 'verbs must contain at least one value'))
  }
  if ((rule.nonResourceURLs ?? []).length > 0) {
    const printed = rule.nonResourceURLs
    if (namespaced) {
      const why = 'namespaced rules cannot apply to non-resource URLs'
      faults.push(invalidValue(`${field}.nonResourceURLs`, goTexts(printed), why))
    }
    if (rule.apiGroups ?? rule.resources ?? rule.resourceNames) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs'
      faults.push(invalidValue(`${field}.nonResourceURLs`, goTexts(printed), why))
    }
    return faults
  }
  if ((rule.apiGroups ?? []).length === 0) {
    faults.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'))
  }
  if ((rule.resources ?? []).length === 0) {
    faults.push(required(`${field}.resources`, 'resource rules must supply at least one resource'))
  }
  return faults
}

function roleRules(namespaced: boolean): KindRules {
  return {
    ...shared,
    validate(object) {
      const { rules, aggregationRule } = roleView(object)
      const faults = (rules ?? []).flatMap((rule, i) => ruleFaults(`rules[${i}]`, rule, namespaced))
      const selectors = aggregationRule?.clusterRoleSelectors
      if (aggregationRule && (selectors ?? []).length === 0) {
        const why = 'at least one clusterRoleSelector required if aggregationRule is non-nil'
        faults.push(required('aggregationRule.clusterRoleSelectors', why))
      }
      ;(selectors ?? []).forEach((selector, i) => {
        const at = `aggregationRule.clusterRoleSelectors[${i}]`
        faults.push(...labelSelector(at, selector))
        if (!isReadable(selector)) {
          faults.push(invalidValue(at, null, 'invalid label selector.'))
        }
      })
      return faults
    },
  }
}

export const role = roleRules(true)
export const clusterRole = roleRules(false)

function defaultBinding(object: KubeObject): void {
  const { roleRef, subjects = [] } = bindingView(object)
  if (roleRef.apiGroup === '') roleRef.apiGroup = GROUP
  for (const subject of subjects) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ??= GROUP
  }
}

function bindingRules(kinds: readonly string[], namespaced: boolean): KindRules {
  return {
    ...shared,
    defaults: defaultBinding,
    validate(object) {
      const { roleRef, subjects = [] } = bindingView(object)
      const faults: Faults = []
      if (roleRef.apiGroup !== GROUP) faults.push(unsupported('roleRef.apiGroup', roleRef.apiGroup, [GROUP]))
      if (!kinds.includes(roleRef.kind)) faults.push(unsupported('roleRef.kind', roleRef.kind, kinds))
      if (roleRef.name === '') faults.push(required('roleRef.name'))
      else faults.push(...segmentFaults('roleRef.name', roleRef.name))
      return [
        ...faults,
        ...subjects.flatMap((subject, i) => subjectFaults(`subjects[${i}]`, subject, namespaced)),
      ]
    },
    validateUpdate(object, previous) {
      const [after, before] = [bindingView(object).roleRef, bindingView(previous).roleRef]
      return immutable('roleRef', after, before, goRef(after)).map((fault) => ({
        ...fault,
        message: fault.message.replace('field is immutable', 'cannot change roleRef'),
      }))
    },
  }
}

function goRef({ apiGroup, kind, name }: RoleRef) {
  const [a, k, n] = [apiGroup, kind, name].map((text) => JSON.stringify(text))
  return go(`rbac.RoleRef{APIGroup:${a}, Kind:${k}, Name:${n}}`)
}

function segmentFaults(field: string, name: string): Faults {
  if (name === '.' || name === '..') return [invalidValue(field, name, `may not be '${name}'`)]
  return ['/', '%']
    .filter((mark) => name.includes(mark))
    .map((mark) => invalidValue(field, name, `may not contain '${mark}'`))
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function subjectFaults(field: string, subject: Subject, namespaced: boolean): Faults {
  const faults: Faults = []
  if (subject.name === '') faults.push(required(`${field}.name`))
  const group = subject.apiGroup ?? ''
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name !== '' && !SUBDOMAIN.test(subject.name)) {
        const why =
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        faults.push(invalidValue(`${field}.name`, subject.name, why))
      }
      if (group !== '') faults.push(unsupported(`${field}.apiGroup`, group, ['']))
      if (!namespaced && !subject.namespace) faults.push(required(`${field}.namespace`))
      break
    case 'User':
    case 'Group':
      if (group !== GROUP) faults.push(unsupported(`${field}.apiGroup`, group, [GROUP]))
      break
    default:
      faults.push(unsupported(`${field}.kind`, subject.kind, ['ServiceAccount', 'User', 'Group']))
  }
  return faults
}

export const roleBinding = bindingRules(['Role', 'ClusterRole'], true)
export const clusterRoleBinding = bindingRules(['ClusterRole'], false)

/** flowcontrol FlowSchema and PriorityLevelConfiguration. Kept and checked; what is served first does not depend on them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type Faults,
  forbidden,
  goTexts,
  invalidValue,
  name,
  oneOf,
  required,
  unsupported,
} from '../faults.js'
import { type KindRules } from '../rules.js'

interface Subject {
  kind: string
  user?: { name: string }
  group?: { name: string }
  serviceAccount?: { namespace: string; name: string }
}

interface ResourceRule {
  verbs?: string[] | null
  apiGroups?: string[] | null
  resources?: string[] | null
  clusterScope?: boolean
  namespaces?: string[] | null
}

interface NonResourceRule {
  verbs?: string[] | null
  nonResourceURLs?: string[] | null
}

interface Rule {
  subjects?: Subject[] | null
  resourceRules?: ResourceRule[]
  nonResourceRules?: NonResourceRule[]
}

interface FlowSchema extends KubeObject {
  spec: {
    priorityLevelConfiguration: { name: string }
    matchingPrecedence?: number
    distinguisherMethod?: { type: string }
    rules?: Rule[]
  }
}

const DEFAULT_PRECEDENCE = 1000
const MAX_PRECEDENCE = 10_000

export const flowSchema: KindRules = {
  hasGeneration: true,
  defaults(object) {
    const { spec } = object as FlowSchema
    spec.matchingPrecedence ||= DEFAULT_PRECEDENCE
  },
  validate(object) {
    const { metadata, spec } = object as FlowSchema
    const { matchingPrecedence: precedence = 0, distinguisherMethod: method } = spec
    const faults: Faults = []
    const at = 'spec.matchingPrecedence'
    if (precedence <= 0) faults.push(invalidValue(at, precedence, 'must be a positive value'))
    if (precedence > MAX_PRECEDENCE) {
      faults.push(invalidValue(at, precedence, `must not be greater than ${MAX_PRECEDENCE}`))
    }
    if (precedence === 1 && metadata.name !== 'exempt') {
      faults.push(
        invalidValue(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
      )
    }
    if (method) faults.push(...oneOf('spec.distinguisherMethod.type', method.type, ['ByNamespace', 'ByUser']))
    const level = spec.priorityLevelConfiguration.name
    faults.push(
      ...(level
        ? name('subdomain', 'spec.priorityLevelConfiguration.name', level)
        : [required('spec.priorityLevelConfiguration.name', 'must reference a priority level')]),
    )
    return [...faults, ...(spec.rules ?? []).flatMap((rule, i) => ruleFaults(`spec.rules[${i}]`, rule))]
  },
}

function ruleFaults(field: string, rule: Rule): Faults {
  const { subjects, resourceRules = [], nonResourceRules = [] } = rule
  const faults: Faults = (subjects ?? []).flatMap((subject, i) =>
    subjectFaults(`${field}.subjects[${i}]`, subject),
  )
  if ((subjects ?? []).length === 0) {
    faults.push(required(`${field}.subjects`, 'subjects must contain at least one value'))
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    faults.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  resourceRules.forEach((each, i) => faults.push(...resourceFaults(`${field}.resourceRules[${i}]`, each)))
  nonResourceRules.forEach((each, i) => faults.push(...urlFaults(`${field}.nonResourceRules[${i}]`, each)))
  return faults
}

const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function subjectFaults(field: string, subject: Subject): Faults {
  if (!Object.hasOwn(SUBJECTS, subject.kind)) {
    return [unsupported(`${field}.kind`, subject.kind, Object.keys(SUBJECTS).sort())]
  }
  const own = SUBJECTS[subject.kind as keyof typeof SUBJECTS]
  const faults = subject[own]
    ? namedFaults(`${field}.${own}`, own, subject)
    : [required(`${field}.${own}`, `${own} is required when subject kind is '${subject.kind}'`)]
  for (const [kind, part] of Object.entries(SUBJECTS)) {
    if (part === own || !subject[part]) continue
    faults.push(forbidden(`${field}.${part}`, `${part} is forbidden when subject kind is not '${kind}'`))
  }
  return faults
}

function namedFaults(field: string, part: 'serviceAccount' | 'user' | 'group', subject: Subject): Faults {
  const held = subject[part]
  const faults: Faults = held?.name ? [] : [required(`${field}.name`)]
  if (part !== 'serviceAccount' || !subject.serviceAccount) return faults
  const { name: account, namespace } = subject.serviceAccount
  if (account && account !== '*') faults.push(...name('subdomain', `${field}.name`, account))
  if (namespace) faults.push(...name('label', `${field}.namespace`, namespace))
  else faults.push(required(`${field}.namespace`, 'must specify namespace for service account'))
  return faults
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

/** A list that must hold something, and nothing beside a `*`. */
function listFaults(
  field: string,
  list: readonly string[] | null | undefined,
  empty: string,
  others: string,
): Faults {
  if (!list || list.length === 0) return [required(field, empty)]
  if (!list.includes('*') || list.length === 1) return []
  return [invalidValue(field, goTexts(list), `if '*' is present, must not specify other ${others}`)]
}

function verbFaults(field: string, verbs: readonly string[] | null | undefined): Faults {
  const faults = listFaults(field, verbs, 'verbs must contain at least one value', 'verbs')
  const all = verbs ?? []
  if (all.includes('*') || all.every((verb) => VERBS.includes(verb))) return faults
  return [...faults, unsupported(field, goTexts(all), VERBS)]
}

const MEMBER = "each member of this list must be '*' or a DNS-1123 label; "

function resourceFaults(field: string, rule: ResourceRule): Faults {
  const faults = [
    ...verbFaults(`${field}.verbs`, rule.verbs),
    ...listFaults(
      `${field}.apiGroups`,
      rule.apiGroups,
      'resource rules must supply at least one api group',
      'api groups',
    ),
    ...listFaults(
      `${field}.resources`,
      rule.resources,
      'resource rules must supply at least one resource',
      'resources',
    ),
  ]
  const { clusterScope = false } = rule
  const namespaces = rule.namespaces ?? []
  const at = `${field}.namespaces`
  if (namespaces.length === 0 && !clusterScope) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace'
    faults.push(required(at, why))
  } else if (namespaces.includes('*')) {
    faults.push(...listFaults(at, namespaces, '', 'namespaces'))
  } else {
    namespaces.forEach((namespace, i) => {
      for (const fault of name('label', `${at}[${i}]`, namespace)) {
        faults.push({
          ...fault,
          message: fault.message.replace(/^(Invalid value: "[^"]*": )/, `$1${MEMBER}`),
        })
      }
    })
  }
  return faults
}

function urlFaults(field: string, rule: NonResourceRule): Faults {
  const faults = verbFaults(`${field}.verbs`, rule.verbs)
  const at = `${field}.nonResourceURLs`
  const urls = rule.nonResourceURLs
  faults.push(...listFaults(at, urls, 'nonResourceURLs must contain at least one value', 'non-resource URLs'))
  if (!urls || urls.includes('*')) return faults
  urls.forEach((path, i) => {
    const why = pathFault(path)
    if (why !== undefined) faults.push(invalidValue(`${at}[${i}]`, path, why))
  })
  return faults
}

function pathFault(path: string): string | undefined {
  if (path === '') return 'must not be empty'
  if (path === '/') return undefined
  if (!path.startsWith('/')) return 'must start with slash'
  if (path.includes(' ')) return 'must not contain white-space'
  if (path.includes('//')) return 'must not contain double slash'
  const stars = path.split('*').length - 1
  return stars > 1 || (stars === 1 && !path.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined
}

interface Queuing {
  queues?: number
  handSize?: number
  queueLengthLimit?: number
}

interface PriorityLevelConfiguration extends KubeObject {
  spec: {
    type: string
    limited?: {
      assuredConcurrencyShares?: number
      limitResponse: { type: string; queuing?: Queuing }
    }
  }
}

const MAX_QUEUES = 10_000_000
const MAX_HASH_BITS = 60

export const priorityLevel: KindRules = {
  hasGeneration: true,
  defaults(object) {
    const { limited } = (object as PriorityLevelConfiguration).spec
    if (!limited) return
    limited.assuredConcurrencyShares ||= 30
    const { queuing } = limited.limitResponse
    if (!queuing) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  validate(object) {
    const { metadata, spec } = object as PriorityLevelConfiguration
    const { type, limited } = spec
    const faults: Faults = []
    if ((metadata.name === 'exempt') !== (type === 'Exempt')) {
      faults.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
    }
    if (type === 'Exempt') {
      if (limited) faults.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
    } else if (type !== 'Limited') faults.push(unsupported('spec.type', type, ['Exempt', 'Limited']))
    else if (!limited) faults.push(required('spec.limited', 'must not be empty when type is Limited'))
    else faults.push(...limitedFaults('spec.limited', limited))
    return faults
  },
}

function limitedFaults(
  field: string,
  limited: NonNullable<PriorityLevelConfiguration['spec']['limited']>,
): Faults {
  const { assuredConcurrencyShares: shares = 0, limitResponse } = limited
  const faults: Faults = []
  if (shares <= 0) faults.push(invalidValue(`${field}.assuredConcurrencyShares`, shares, 'must be positive'))
  const { type, queuing } = limitResponse
  const at = `${field}.limitResponse`
  if (type === 'Reject') {
    if (queuing) {
      faults.push(forbidden(`${at}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'))
    }
  } else if (type !== 'Queue') faults.push(unsupported(`${at}.type`, type, ['Queue', 'Reject']))
  else if (!queuing) {
    faults.push(required(`${at}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'))
  } else faults.push(...queuingFaults(`${at}.queuing`, queuing))
  return faults
}

function queuingFaults(field: string, { queues = 0, handSize = 0, queueLengthLimit = 0 }: Queuing): Faults {
  const faults: Faults = []
  const bad = (part: string, value: number, why: string): void => {
    faults.push(invalidValue(`${field}.${part}`, value, why))
  }
  if (queueLengthLimit <= 0) bad('queueLengthLimit', queueLengthLimit, 'must be positive')
  if (queues <= 0) bad('queues', queues, 'must be positive')
  else if (queues > MAX_QUEUES) bad('queues', queues, `must not be greater than ${MAX_QUEUES}`)
  if (handSize <= 0) bad('handSize', handSize, 'must be positive')
  else if (handSize > queues) bad('handSize', handSize, `should not be greater than queues (${queues})`)
  else {
    const bits = Math.ceil(
      Array.from({ length: handSize }, (_, i) => Math.log2(queues - i)).reduce((sum, each) => sum + each, 0),
    )
    if (bits > MAX_HASH_BITS) {
      const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`
      bad('handSize', handSize, why)
    }
  }
  return faults
}

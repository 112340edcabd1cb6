/** admissionregistration.k8s.io: webhook configurations, mutating and validating, v1 and v1beta1. */
import { nameFaults } from '../../../apimachinery/meta/names.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  goTexts,
  invalidValue,
  labelSelector,
  name,
  oneOf,
  required,
  unsupported,
} from '../faults.js'
import { type KindRules } from '../rules.js'
import { type LabelSelector } from '../types.js'

interface Webhook {
  name: string
  clientConfig: { url?: string; service?: { namespace: string; name: string; path?: string; port?: number } }
  rules?: {
    operations?: string[]
    apiGroups?: string[]
    apiVersions?: string[]
    resources?: string[]
    scope?: string
  }[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  /** Null where v1 requires it and it is missing. */
  sideEffects?: string | null
  timeoutSeconds?: number
  admissionReviewVersions?: string[] | null
  reinvocationPolicy?: string
}

interface Configuration extends KubeObject {
  webhooks?: Webhook[]
}

const view = (object: object) => object as Configuration

interface Differences {
  failurePolicy: string
  matchPolicy: string
  timeoutSeconds: number
  sideEffects?: string
  reviewVersions?: string[]
  /** v1 asks for webhooks that say what they do beside answering, and for unique names. */
  strict: boolean
}

const V1: Differences = { failurePolicy: 'Fail', matchPolicy: 'Equivalent', timeoutSeconds: 10, strict: true }
const BETA: Differences = {
  failurePolicy: 'Ignore',
  matchPolicy: 'Exact',
  timeoutSeconds: 30,
  sideEffects: 'Unknown',
  reviewVersions: ['v1beta1'],
  strict: false,
}

function rules(mutating: boolean, version: Differences): KindRules {
  return {
    hasGeneration: true,
    allowUnconditionalUpdate: false,
    defaults(object) {
      for (const webhook of view(object).webhooks ?? []) defaultWebhook(webhook, mutating, version)
    },
    validate(object) {
      const names = new Set<string>()
      return (view(object).webhooks ?? []).flatMap((webhook, i) => {
        const at = `webhooks[${i}]`
        const faults = webhookFaults(at, webhook, mutating, version)
        if (version.strict && names.has(webhook.name)) faults.push(duplicate(`${at}.name`, webhook.name))
        names.add(webhook.name)
        return faults
      })
    },
  }
}

export const mutatingWebhooks = rules(true, V1)
export const mutatingWebhooksBeta = rules(true, BETA)
export const validatingWebhooks = rules(false, V1)
export const validatingWebhooksBeta = rules(false, BETA)

function defaultWebhook(webhook: Webhook, mutating: boolean, version: Differences): void {
  webhook.failurePolicy ??= version.failurePolicy
  webhook.matchPolicy ??= version.matchPolicy
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= version.timeoutSeconds
  if (version.sideEffects !== undefined) webhook.sideEffects ??= version.sideEffects
  if (version.reviewVersions) webhook.admissionReviewVersions ??= [...version.reviewVersions]
  if (mutating) webhook.reinvocationPolicy ??= 'Never'
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
  if (webhook.clientConfig.service) webhook.clientConfig.service.port ??= 443
}

function webhookFaults(field: string, webhook: Webhook, mutating: boolean, { strict }: Differences): Faults {
  const faults = fullName(`${field}.name`, webhook.name)
  faults.push(...labelSelector(`${field}.namespaceSelector`, webhook.namespaceSelector))
  faults.push(...labelSelector(`${field}.objectSelector`, webhook.objectSelector))
  const versions = webhook.admissionReviewVersions ?? []
  if (versions.length === 0) {
    const why = 'must specify one of v1, v1beta1'
    faults.push(required(`${field}.admissionReviewVersions`, why))
  } else if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
    const why = 'must include at least one of v1, v1beta1'
    faults.push(invalidValue(`${field}.admissionReviewVersions`, goTexts(versions), why))
  }
  versions.forEach((version, i) => {
    const at = `${field}.admissionReviewVersions[${i}]`
    faults.push(...name('service', at, version))
    if (versions.indexOf(version) < i) faults.push(invalidValue(at, version, 'duplicate version'))
  })
  ;(webhook.rules ?? []).forEach((rule, i) => {
    const at = `${field}.rules[${i}]`
    for (const part of ['operations', 'apiGroups', 'apiVersions', 'resources'] as const) {
      if ((rule[part] ?? []).length === 0) faults.push(required(`${at}.${part}`))
    }
    for (const part of ['apiVersions', 'resources'] as const) {
      rule[part]?.forEach((text, j) => {
        if (text === '') faults.push(required(`${at}.${part}[${j}]`))
      })
    }
    ;(rule.operations ?? []).forEach((operation, j) => {
      const supported = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
      if (!supported.includes(operation))
        faults.push(unsupported(`${at}.operations[${j}]`, operation, supported))
    })
    if (rule.scope !== undefined)
      faults.push(...oneOf(`${at}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced']))
  })
  faults.push(...oneOf(`${field}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']))
  faults.push(...oneOf(`${field}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']))
  const effects = strict ? ['None', 'NoneOnDryRun'] : ['None', 'NoneOnDryRun', 'Some', 'Unknown']
  if (webhook.sideEffects === undefined || webhook.sideEffects === null) {
    faults.push(required(`${field}.sideEffects`, `must specify one of ${effects.join(', ')}`))
  } else faults.push(...oneOf(`${field}.sideEffects`, webhook.sideEffects, effects))
  const timeout = webhook.timeoutSeconds
  if (timeout !== undefined && (timeout < 1 || timeout > 30)) {
    const why = 'the timeout value must be between 1 and 30 seconds'
    faults.push(invalidValue(`${field}.timeoutSeconds`, timeout, why))
  }
  if (mutating && webhook.reinvocationPolicy !== undefined) {
    faults.push(...oneOf(`${field}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']))
  }
  return [...faults, ...clientFaults(`${field}.clientConfig`, webhook.clientConfig)]
}

/** A name of at least three parts: `a.example.com`. */
function fullName(field: string, text: string): Faults {
  if (text === '') return [required(field)]
  const faults = name('subdomain', field, text)
  if (faults.length > 0 || text.split('.').length >= 3) return faults
  return [invalidValue(field, text, 'should be a domain with at least three segments separated by dots')]
}

function clientFaults(field: string, { url, service }: Webhook['clientConfig']): Faults {
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')]
  }
  if (url !== undefined) return urlFaults(`${field}.url`, url)
  if (!service) return []
  const faults: Faults = []
  // The original takes the one for the other.
  if (service.namespace === '') faults.push(required(`${field}.service.name`, 'service name is required'))
  if (service.name === '') {
    faults.push(required(`${field}.service.namespace`, 'service namespace is required'))
  }
  if (service.path !== undefined) faults.push(...pathFaults(`${field}.service.path`, service.path))
  const port = service.port ?? 443
  if (port < 1 || port > 65535) {
    const why = 'port is not valid: must be between 1 and 65535, inclusive'
    faults.push(invalidValue(`${field}.service.port`, port, why))
  }
  return faults
}

function pathFaults(field: string, path: string): Faults {
  if (path === '' || path === '/') return []
  const faults: Faults = []
  if (path === '//') return [invalidValue(field, path, 'segment[0] may not be empty')]
  if (!path.startsWith('/')) faults.push(invalidValue(field, path, "must start with a '/'"))
  // The first character is taken for the slash that it should be.
  const segments = path.slice(1).replace(/\/$/, '').split('/')
  segments.forEach((segment, i) => {
    if (segment === '') faults.push(invalidValue(field, path, `segment[${i}] may not be empty`))
    for (const why of nameFaults('subdomain', segment)) {
      if (segment !== '') faults.push(invalidValue(field, path, `segment[${i}]: ${why}`))
    }
  })
  return faults
}

type Url = Pick<URL, 'protocol' | 'host' | 'username' | 'password' | 'hash' | 'search'>

/** A path without a host is a URL, too. */
function readUrl(text: string): Url | undefined {
  try {
    return new URL(text)
  } catch {
    const isPath = !/^[^/]*:|^\/\/|[\s%]/.test(text)
    const [hash = '', search = ''] = [/#.*/.exec(text)?.[0], /\?[^#]*/.exec(text)?.[0]]
    return isPath ? { protocol: '', host: '', username: '', password: '', hash, search } : undefined
  }
}

function urlFaults(field: string, text: string): Faults {
  const form = '; desired format: https://host[/path]'
  const url = readUrl(text)
  if (url === undefined) {
    return [required(field, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI${form}`)]
  }
  const faults: Faults = []
  if (url.protocol !== 'https:') {
    const why = `'https' is the only allowed URL scheme${form}`
    faults.push(invalidValue(field, url.protocol.slice(0, -1), why))
  }
  if (url.host === '') faults.push(invalidValue(field, url.host, `host must be provided${form}`))
  if (url.username !== '' || url.password !== '') {
    faults.push(invalidValue(field, url.username, 'user information is not permitted in the URL'))
  }
  if (url.hash !== '')
    faults.push(invalidValue(field, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search !== '') {
    faults.push(invalidValue(field, url.search.slice(1), 'query parameters are not permitted in the URL'))
  }
  return faults
}

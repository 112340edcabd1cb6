/** Ingress of networking.k8s.io/v1, of its beta and of extensions, and IngressClass. */
import { isIP } from 'node:net'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  type Faults,
  go,
  immutable,
  invalidValue,
  name,
  required,
  requiredName,
  unsupported,
} from '../faults.js'
import { numberOrName } from '../pods/containers.js'
import { type KindRules } from '../rules.js'
import { type IntOrString } from '../types.js'

/** A backend in either shape. */
interface Backend {
  service?: { name: string; port: { name?: string; number?: number } }
  resource?: Reference
  serviceName?: string
  servicePort?: IntOrString
}

interface IngressRule {
  host?: string
  http?: { paths: { path?: string; pathType?: string; backend: Backend }[] | null }
}

interface Ingress extends KubeObject {
  spec: {
    ingressClassName?: string
    defaultBackend?: Backend
    backend?: Backend
    tls?: { hosts?: string[]; secretName?: string }[]
    rules?: IngressRule[]
  }
}

const view = (object: object) => object as Ingress

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

/** @param backendField what the version calls the backend of last resort */
function rules(backendField: 'defaultBackend' | 'backend'): KindRules {
  return {
    hasGeneration: true,
    ...(backendField === 'backend' && { defaults: defaultPathTypes }),
    validate: (object, context) =>
      context.subresource === 'status' ? [] : specFaults(view(object), backendField),
  }
}

function defaultPathTypes(object: KubeObject): void {
  for (const { http } of view(object).spec.rules ?? []) {
    for (const path of http?.paths ?? []) path.pathType ??= 'ImplementationSpecific'
  }
}

export const ingress = rules('defaultBackend')
export const ingressBeta = rules('backend')

function specFaults({ metadata, spec }: Ingress, backendField: 'defaultBackend' | 'backend'): Faults {
  const faults: Faults = []
  const backend = spec[backendField]
  if ((spec.rules ?? []).length === 0 && !backend) {
    const why = `either \`${backendField}\` or \`rules\` must be specified`
    faults.push(invalidValue('spec', go('[]networking.IngressRule(nil)'), why))
  }
  ;(spec.tls ?? []).forEach(({ hosts = [], secretName }, i) => {
    hosts.forEach((host, j) => faults.push(...hostFaults(`spec.tls[${i}].hosts[${j}]`, host)))
    if (secretName) faults.push(...name('subdomain', `spec.tls[${i}].secretName`, secretName))
  })
  ;(spec.rules ?? []).forEach((rule, i) => faults.push(...ruleFaults(`spec.rules[${i}]`, rule)))
  if (backend) faults.push(...backendFaults(`spec.${backendField}`, backend))
  if (spec.ingressClassName !== undefined) {
    faults.push(...name('subdomain', 'spec.ingressClassName', spec.ingressClassName))
    if (metadata.annotations?.[CLASS_ANNOTATION] !== undefined) {
      const why = 'can not be set when the class field is also set'
      faults.push(
        invalidValue(`annotations.${CLASS_ANNOTATION}`, metadata.annotations[CLASS_ANNOTATION], why),
      )
    }
  }
  return faults
}

const WILDCARD = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const WILDCARD_TEXT =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

function hostFaults(field: string, host: string): Faults {
  if (!host.includes('*')) return name('subdomain', field, host)
  return WILDCARD.test(host) ? [] : [invalidValue(field, host, WILDCARD_TEXT)]
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']

function ruleFaults(field: string, { host, http }: IngressRule): Faults {
  const faults: Faults = []
  if (host) {
    if (isIP(host) !== 0)
      faults.push(invalidValue(`${field}.host`, host, 'must be a DNS name, not an IP address'))
    else faults.push(...hostFaults(`${field}.host`, host))
  }
  if (!http) return faults
  const paths = http.paths ?? []
  if (paths.length === 0) faults.push(required(`${field}.http.paths`))
  paths.forEach(({ path = '', pathType, backend }, i) => {
    const at = `${field}.http.paths[${i}]`
    if (pathType === undefined) faults.push(required(`${at}.pathType`, 'pathType must be specified'))
    else if (!PATH_TYPES.includes(pathType)) faults.push(unsupported(`${at}.pathType`, pathType, PATH_TYPES))
    else if (
      pathType === 'ImplementationSpecific' ? path !== '' && !path.startsWith('/') : !path.startsWith('/')
    ) {
      faults.push(invalidValue(`${at}.path`, path, 'must be an absolute path'))
    }
    if (pathType === 'Exact' || pathType === 'Prefix') faults.push(...segmentFaults(`${at}.path`, path))
    faults.push(...backendFaults(`${at}.backend`, backend))
  })
  return faults
}

function segmentFaults(field: string, path: string): Faults {
  const faults: Faults = []
  for (const sequence of ['//', '/./', '/../', '%2f', '%2F']) {
    if (path.includes(sequence)) faults.push(invalidValue(field, path, `must not contain '${sequence}'`))
  }
  for (const end of ['/..', '/.']) {
    if (path.endsWith(end)) faults.push(invalidValue(field, path, `cannot end with '${end}'`))
  }
  return faults
}

interface Reference {
  apiGroup?: string | null
  kind: string
  name: string
}

/** Of what is named by kind: something in the same namespace, or what a class is tuned by. */
function referenceFaults(field: string, { apiGroup, kind, name: target }: Reference): Faults {
  return [
    ...(apiGroup === undefined || apiGroup === null ? [] : name('subdomain', `${field}.apiGroup`, apiGroup)),
    ...(kind === ''
      ? [required(`${field}.kind`, 'kind is required')]
      : name('path-segment', `${field}.kind`, kind)),
    ...(target === ''
      ? [required(`${field}.name`, 'name is required')]
      : name('path-segment', `${field}.name`, target)),
  ]
}

function backendFaults(field: string, backend: Backend): Faults {
  const isBeta = Boolean(backend.serviceName) || (backend.servicePort ?? 0) !== 0
  if (backend.resource && (backend.service || isBeta)) {
    return [invalidValue(field, '', 'cannot set both resource and service backends')]
  }
  if (backend.resource) return referenceFaults(`${field}.resource`, backend.resource)
  if (isBeta) {
    const { serviceName = '', servicePort: port = 0 } = backend
    return [
      ...requiredName('service', `${field}.serviceName`, serviceName),
      ...(port === 0 || port === ''
        ? [required(field, 'port name or number is required')]
        : numberOrName(`${field}.servicePort`, port)),
    ]
  }
  if (!backend.service) return [invalidValue(field, '', 'resource or service backend is required')]
  const { name: service, port } = backend.service
  return [...requiredName('service', `${field}.service.name`, service), ...portFaults(field, port)]
}

function portFaults(field: string, port: { name?: string; number?: number }): Faults {
  if (port.name && port.number) {
    return [invalidValue(field, '', 'cannot set both port name & port number')]
  }
  if (port.name) return numberOrName(`${field}.service.port.name`, port.name)
  if (port.number) return numberOrName(`${field}.service.port.number`, port.number)
  return [required(field, 'port name or number is required')]
}

interface IngressClass extends KubeObject {
  spec: { controller?: string; parameters?: Reference }
}

const classView = (object: object) => object as IngressClass

export const ingressClass: KindRules = {
  hasGeneration: true,
  validate(object) {
    const { controller, parameters } = classView(object).spec
    const faults: Faults = []
    if (!controller) faults.push(required('spec.controller'))
    else if (controller.length > 250) {
      faults.push({
        reason: 'FieldValueTooLong',
        field: 'spec.controller',
        message: 'Too long: must have at most 250 bytes',
      })
    } else if (!/^[^/]+\/.+$/.test(controller)) {
      const why = 'must be a domain-prefixed path (such as "acme.io/foo")'
      faults.push(invalidValue('spec.controller', controller, why))
    }
    if (parameters) faults.push(...referenceFaults('spec.parameters', parameters))
    return faults
  },
  validateUpdate: (object, previous) =>
    immutable(
      'spec.controller',
      classView(object).spec.controller ?? '',
      classView(previous).spec.controller,
    ),
}

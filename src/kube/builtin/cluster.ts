/**
 * Kinds of the cluster with one short rule each: priority and runtime classes, leases, API services,
 * certificate signing requests.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  forbidden,
  go,
  immutable,
  invalidValue,
  labels,
  name,
  oneOf,
  positive,
  required,
  same,
  unsupported,
} from './faults.js'
import { tolerationFaults } from './pods/validation.js'
import { type StringMap, type Toleration } from './types.js'
import { type KindRules } from './rules.js'

interface PriorityClass extends KubeObject {
  value: number
  globalDefault?: boolean
  preemptionPolicy?: string
}

const priorityView = (object: object) => object as PriorityClass

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

export const priorityClass: KindRules = {
  hasGeneration: true,
  changesOnly: true,
  defaults(object) {
    priorityView(object).preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate(object) {
    const { metadata, value, preemptionPolicy } = priorityView(object)
    const own = metadata.name ?? ''
    const faults: Faults = []
    if (own.startsWith('system-') && SYSTEM_CLASSES[own] !== value) {
      const why = `priority class names with 'system-' prefix are reserved for system use only. error: ${own} is not a known system priority class`
      faults.push(forbidden('metadata.name', why))
    }
    if (!own.startsWith('system-') && value > HIGHEST_USER_PRIORITY) {
      const why = `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`
      faults.push(forbidden('value', why))
    }
    faults.push(...oneOf('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']))
    return faults
  },
  validateUpdate(object, previous) {
    const [after, before] = [priorityView(object), priorityView(previous)]
    return [
      ...(after.value === before.value ? [] : [forbidden('Value', 'may not be changed in an update.')]),
      ...immutable('preemptionPolicy', after.preemptionPolicy, before.preemptionPolicy),
    ]
  },
}

interface RuntimeClass {
  handler?: string
  scheduling?: { nodeSelector?: StringMap; tolerations?: Toleration[] }
}

export const runtimeClass: KindRules = {
  allowCreateOnUpdate: true,
  validate(object) {
    const { handler = '', scheduling } = object as unknown as RuntimeClass
    return [
      ...name('label', 'handler', handler),
      ...labels('scheduling.nodeSelector', scheduling?.nodeSelector),
      // The field is named twice.
      ...tolerationFaults('scheduling.tolerations.tolerations', scheduling?.tolerations ?? []),
    ]
  },
  validateUpdate: (object, previous) => immutable('handler', object['handler'], previous['handler']),
}

interface Lease extends KubeObject {
  spec: { leaseDurationSeconds?: number; leaseTransitions?: number }
}

export const lease: KindRules = {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate(object) {
    const { leaseDurationSeconds, leaseTransitions } = (object as unknown as Lease).spec
    const faults = positive('spec.leaseDurationSeconds', leaseDurationSeconds)
    if (leaseTransitions !== undefined && leaseTransitions < 0) {
      faults.push(invalidValue('spec.leaseTransitions', leaseTransitions, 'must to greater or equal than 0'))
    }
    return faults
  },
}

interface APIService extends KubeObject {
  spec: {
    service?: { namespace?: string; name?: string; port?: number } | null
    group?: string
    version?: string
    insecureSkipTLSVerify?: boolean
    caBundle?: string
    groupPriorityMinimum: number
    versionPriority: number
  }
}

const apiServiceView = (object: object) => object as APIService

export const apiService: KindRules = {
  nameRule: 'path-segment',
  allowUnconditionalUpdate: false,
  defaults(object) {
    const { service } = apiServiceView(object).spec
    if (service) service.port ??= 443
  },
  prepareForCreate(object) {
    const own = apiServiceView(object)
    // One that is served here is there; one behind a service has to be found first.
    object['status'] = {}
    if (!own.spec.service) {
      object['status'] = { conditions: [LOCAL_CONDITION()] }
    }
  },
  validate(object) {
    const { metadata, spec } = apiServiceView(object)
    const { group = '', version = '', service } = spec
    const faults: Faults = []
    const wanted = `${version}.${group}`
    if (metadata.name && metadata.name !== wanted) {
      const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`
      faults.push(invalidValue('metadata.name', metadata.name ?? '', why))
    }
    if (group === '') {
      if (version !== 'v1') {
        faults.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
      }
    } else faults.push(...name('subdomain', 'spec.group', group))
    faults.push(...name('service', 'spec.version', version))
    if (spec.groupPriorityMinimum <= 0 || spec.groupPriorityMinimum > 20000) {
      const why = 'must be positive and less than 20000'
      faults.push(invalidValue('spec.groupPriorityMinimum', spec.groupPriorityMinimum, why))
    }
    if (spec.versionPriority <= 0 || spec.versionPriority > 1000) {
      const why = 'must be positive and less than 1000'
      faults.push(invalidValue('spec.versionPriority', spec.versionPriority, why))
    }
    return [...faults, ...backendFaults(spec, service)]
  },
}

const LOCAL_CONDITION = () => ({
  type: 'Available',
  status: 'True',
  lastTransitionTime: null as string | null,
  reason: 'Local',
  message: 'Local APIServices are always available',
})

function backendFaults(spec: APIService['spec'], service: APIService['spec']['service']): Faults {
  const faults: Faults = []
  if (!service) {
    if (spec.caBundle) {
      const why = 'local APIServices may not have a caBundle'
      faults.push(invalidValue('spec.caBundle', `${Buffer.byteLength(spec.caBundle)} bytes`, why))
    }
    if (spec.insecureSkipTLSVerify) {
      const why = 'local APIServices may not have insecureSkipTLSVerify'
      faults.push(invalidValue('spec.insecureSkipTLSVerify', true, why))
    }
    return faults
  }
  if (!service.namespace) faults.push(required('spec.service.namespace'))
  if (!service.name) faults.push(required('spec.service.name'))
  const port = service.port ?? 443
  if (port < 1 || port > 65535) {
    const why = 'port is not valid: must be between 1 and 65535, inclusive'
    faults.push(invalidValue('spec.service.port', port, why))
  }
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    const why = 'may not be true if caBundle is present'
    faults.push(invalidValue('spec.insecureSkipTLSVerify', true, why))
  }
  return faults
}

interface SigningRequest extends KubeObject {
  spec: {
    request: string | null
    signerName?: string
    usages?: string[]
    username?: string
    uid?: string
    groups?: string[]
    extra?: Record<string, string[]>
  }
  status: { conditions?: { type: string; status: string }[]; certificate?: string }
}

const csrView = (object: object) => object as SigningRequest

/** Fields of certificates.k8s.io/v1beta1 that v1 asks for. */
function csrRules(beta: boolean): KindRules {
  return {
    nameRule: 'path-segment',
    ...(beta && {
      defaults(object: KubeObject) {
        const { spec } = csrView(object)
        spec.signerName ??= 'kubernetes.io/legacy-unknown'
        spec.usages ??= ['digital signature', 'key encipherment']
      },
    }),
    prepareForCreate(object, { user }) {
      const { spec } = csrView(object)
      // Who asks is what the server knows, not what the request says.
      spec.username = user.name
      if (user.uid !== undefined && user.uid !== '') spec.uid = user.uid
      else delete spec.uid
      spec.groups = [...user.groups]
      if (user.extra && Object.keys(user.extra).length > 0) {
        spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]))
      } else delete spec.extra
      object['status'] = {}
    },
    prepareForUpdate(object, previous, { subresource }) {
      const [after, before] = [csrView(object), csrView(previous)]
      after.spec = before.spec
      if (subresource === 'approval') {
        // Approval sets conditions and nothing else.
        after.status = {
          ...before.status,
          ...(after.status.conditions && { conditions: after.status.conditions }),
        }
      } else if (subresource === '') after.status = before.status
    },
    validate: (object) => csrFaults(csrView(object), beta),
    validateUpdate(object, previous) {
      const [after, before] = [csrView(object).status, csrView(previous).status]
      const kept = (type: string) =>
        same(
          after.conditions?.find((condition) => condition.type === type),
          before.conditions?.find((condition) => condition.type === type),
        ) || !before.conditions?.some((condition) => condition.type === type)
      return ['Approved', 'Denied', 'Failed']
        .filter((type) => !kept(type))
        .map((type) =>
          forbidden(
            'status.conditions',
            `updates may not remove or change a condition of type ${JSON.stringify(type)}`,
          ),
        )
    },
    fieldSelectors: { 'spec.signerName': (object) => csrView(object).spec.signerName ?? '' },
  }
}

export const certificateSigningRequest = csrRules(false)
export const certificateSigningRequestBeta = csrRules(true)

const PEM =
  /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/

const USAGES = [
  ...[
    'any',
    'cert sign',
    'client auth',
    'code signing',
    'content commitment',
    'crl sign',
    'data encipherment',
  ],
  ...['decipher only', 'digital signature', 'email protection', 'encipher only', 'ipsec end system'],
  ...['ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc'],
  ...['ocsp signing', 's/mime', 'server auth', 'signing', 'timestamping'],
]

function csrFaults({ spec }: SigningRequest, beta: boolean): Faults {
  const faults: Faults = []
  const bytes = Buffer.from(spec.request ?? '', 'base64')
  if (!PEM.test(bytes.toString('latin1'))) {
    const printed = spec.request ? go(goBytes(bytes)) : go('[]byte(nil)')
    faults.push(invalidValue('spec.request', printed, 'PEM block type must be CERTIFICATE REQUEST'))
  }
  const usages = spec.usages ?? []
  if (usages.length === 0) faults.push(required('spec.usages', 'usages must be provided'))
  usages.forEach((usage, i) => {
    const at = `spec.usages[${i}]`
    if (beta) return
    if (!USAGES.includes(usage)) faults.push(unsupported(at, usage, USAGES))
    if (usages.indexOf(usage) < i) faults.push(duplicate(at, usage))
  })
  if (!spec.signerName) faults.push(required('spec.signerName', 'signerName must be provided'))
  else if (!/^[^/]+\/.+$/.test(spec.signerName)) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    faults.push(invalidValue('spec.signerName', spec.signerName, why))
  }
  return faults
}

function goBytes(bytes: Buffer): string {
  return `[]byte{${[...bytes].map((byte) => `0x${byte.toString(16)}`).join(', ')}}`
}

/** Faults of containers: names, images, ports, probes, environment, mounts. */
import {
  duplicate,
  type Faults,
  forbidden,
  invalidValue,
  name,
  nonNegative,
  notFoundValue,
  oneOf,
  portName,
  portNumber,
  required,
  requiredName,
  unsupported,
} from '../faults.js'
import {
  type Container,
  type ContainerPort,
  type EnvVar,
  type Handler,
  type IntOrString,
  type Probe,
  type SecurityContext,
} from '../types.js'
import { resourceFaults } from './resources.js'

export interface ContainerContext {
  /** Names of the containers before this one, init containers included. */
  names: Set<string>
  /** Names of the pod's volumes. */
  volumes: ReadonlySet<string>
}

export function containerFaults(
  field: string,
  container: Container,
  seen: ContainerContext,
  init = false,
): Faults {
  const faults = requiredName('label', `${field}.name`, container.name)
  if (seen.names.has(container.name)) faults.push(duplicate(`${field}.name`, container.name))
  else seen.names.add(container.name)
  if (!container.image) faults.push(required(`${field}.image`))
  const { lifecycle } = container
  if (lifecycle?.postStart) faults.push(...handlerFaults(`${field}.lifecycle.postStart`, lifecycle.postStart))
  if (lifecycle?.preStop) faults.push(...handlerFaults(`${field}.lifecycle.preStop`, lifecycle.preStop))
  faults.push(
    ...probeFaults(`${field}.livenessProbe`, container.livenessProbe, true),
    ...probeFaults(`${field}.startupProbe`, container.startupProbe, true),
    ...terminationFaults(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy ?? ''),
    ...probeFaults(`${field}.readinessProbe`, container.readinessProbe, false),
    ...portFaults(`${field}.ports`, container.ports ?? []),
    ...envFaults(`${field}.env`, container.env ?? []),
    ...envFromFaults(`${field}.envFrom`, container),
    ...mountFaults(field, container, seen.volumes),
    ...oneOf(`${field}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...resourceFaults(`${field}.resources`, container.resources),
    ...securityFaults(`${field}.securityContext`, container.securityContext),
  )
  if (init) {
    for (const part of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[part] !== undefined) {
        faults.push(invalidValue(`${field}.${part}`, '', 'must not be set for init containers'))
      }
    }
  }
  return faults
}

function terminationFaults(field: string, policy: string): Faults {
  if (policy === '') return [required(field, "must be 'File' or 'FallbackToLogsOnError'")]
  return policy === 'File' || policy === 'FallbackToLogsOnError'
    ? []
    : [invalidValue(field, policy, "must be 'File' or 'FallbackToLogsOnError'")]
}

export function hostPortFaults(field: string, containers: Container[]): Faults {
  const taken = new Set<string>()
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort, hostIP = '', protocol = '' }, j) => {
      if (!hostPort) return []
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(key)) return [duplicate(`${field}[${i}].ports[${j}].hostPort`, key)]
      taken.add(key)
      return []
    }),
  )
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

function portFaults(field: string, ports: ContainerPort[]): Faults {
  const names = new Set<string>()
  return ports.flatMap((port, i) => {
    const at = `${field}[${i}]`
    const faults: Faults = []
    if (port.name) {
      faults.push(...portName(`${at}.name`, port.name))
      if (names.has(port.name)) faults.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (port.containerPort === 0) faults.push(required(`${at}.containerPort`))
    else faults.push(...portNumber(`${at}.containerPort`, port.containerPort))
    if (port.hostPort) faults.push(...portNumber(`${at}.hostPort`, port.hostPort))
    if (!port.protocol) faults.push(required(`${at}.protocol`))
    else faults.push(...oneOf(`${at}.protocol`, port.protocol, PROTOCOLS))
    return faults
  })
}

function probeFaults(field: string, probe: Probe | undefined, once: boolean): Faults {
  if (!probe) return []
  const faults = [
    ...handlerFaults(field, probe),
    ...nonNegative(`${field}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${field}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${field}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${field}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${field}.failureThreshold`, probe.failureThreshold),
  ]
  if (once && probe.successThreshold !== 1) {
    faults.push(invalidValue(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  }
  return faults
}

function handlerFaults(field: string, { exec, httpGet, tcpSocket }: Handler): Faults {
  const faults: Faults = []
  const given = [exec, httpGet, tcpSocket].filter(Boolean).length
  if (given === 0) return [required(field, 'must specify a handler type')]
  if (exec && (exec.command ?? []).length === 0) faults.push(required(`${field}.exec.command`))
  if (httpGet) {
    if (exec) faults.push(forbidden(`${field}.httpGet`, ONE_HANDLER))
    else faults.push(...httpFaults(`${field}.httpGet`, httpGet))
  }
  if (tcpSocket) {
    if (exec || httpGet) faults.push(forbidden(`${field}.tcpSocket`, ONE_HANDLER))
    else faults.push(...numberOrName(`${field}.tcpSocket.port`, tcpSocket.port))
  }
  return faults
}

const ONE_HANDLER = 'may not specify more than 1 handler type'

function httpFaults(field: string, httpGet: NonNullable<Handler['httpGet']>): Faults {
  const faults: Faults = httpGet.path ? [] : [required(`${field}.path`)]
  faults.push(...numberOrName(`${field}.port`, httpGet.port))
  faults.push(...oneOf(`${field}.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']))
  for (const { name: header } of httpGet.httpHeaders ?? []) {
    if (HEADER_NAME.test(header)) continue
    faults.push(invalidValue(`${field}.httpHeaders`, header, HEADER_NAME_TEXT))
  }
  return faults
}

const HEADER_NAME = /^[-A-Za-z0-9]+$/
const HEADER_NAME_TEXT =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"

export function numberOrName(field: string, port: IntOrString): Faults {
  return typeof port === 'number' ? portNumber(field, port) : portName(field, port)
}

const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const ENV_NAME_TEXT =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"

/** As the shell of an image would lose them. */
function envName(field: string, value: string): Faults {
  const faults = ENV_NAME.test(value) ? [] : [invalidValue(field, value, ENV_NAME_TEXT)]
  if (value === '.') faults.push(invalidValue(field, value, "must not be '.'"))
  else if (value === '..') faults.push(invalidValue(field, value, "must not be '..'"))
  else if (value.startsWith('..')) faults.push(invalidValue(field, value, "must not start with '..'"))
  return faults
}

/** A key of a ConfigMap or Secret. */
export function configKey(field: string, key: string): Faults {
  const faults: Faults = []
  if (key.length > 253) faults.push(invalidValue(field, key, 'must be no more than 253 characters'))
  if (!CONFIG_KEY.test(key)) faults.push(invalidValue(field, key, CONFIG_KEY_TEXT))
  if (key === '.') faults.push(invalidValue(field, key, "must not be '.'"))
  else if (key === '..') faults.push(invalidValue(field, key, "must not be '..'"))
  else if (key.startsWith('..')) faults.push(invalidValue(field, key, "must not start with '..'"))
  return faults
}
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/
const CONFIG_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

const CONTAINER_RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const HUGE_PAGES = /^(limits|requests)\.hugepages-/

function resourceFieldFaults(
  field: string,
  selector: { resource: string; containerName?: string; divisor?: string },
  inVolume: boolean,
): Faults {
  if (inVolume && !selector.containerName) return [required(`${field}.containerName`)]
  const { resource, divisor = '0' } = selector
  if (resource === '') return [required(`${field}.resource`)]
  if (!CONTAINER_RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) {
    return [unsupported(`${field}.resource`, resource, CONTAINER_RESOURCES)]
  }
  if (divisor === '0') return []
  const allowed = resource.endsWith('.cpu') ? CPU_DIVISORS : BYTE_DIVISORS
  const what = resource.endsWith('.cpu')
    ? '1m and 1'
    : '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei'
  const kind = resource.split('.')[1] ?? ''
  return allowed.includes(divisor)
    ? []
    : [
        invalidValue(
          `${field}.divisor`,
          divisor,
          kind === 'cpu' || kind === 'memory'
            ? `only divisor's values ${what} are supported with the ${kind} resource`
            : `only divisor's values ${what} are supported with the local ephemeral storage resource`,
        ),
      ]
}
const CPU_DIVISORS = ['1m', '1']
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

/** Of a downward API volume, or of a projected one. */
export function downwardItemFaults(
  field: string,
  items: readonly {
    path: string
    fieldRef?: { fieldPath: string; apiVersion?: string }
    resourceFieldRef?: { resource: string; containerName?: string; divisor?: string }
    mode?: number
  }[],
): Faults {
  return items.flatMap(({ path, fieldRef, resourceFieldRef }) => {
    const faults = path === '' ? [required(`${field}.path`)] : relativePath(`${field}.path`, path)
    if (fieldRef) {
      const at = `${field}.fieldRef`
      faults.push(...fieldPath(at, fieldRef.fieldPath, VOLUME_FIELD_PATHS))
      if (resourceFieldRef) {
        faults.push(
          invalidValue(
            field,
            'resource',
            'fieldRef and resourceFieldRef can not be specified simultaneously',
          ),
        )
      }
    } else if (resourceFieldRef) {
      faults.push(...resourceFieldFaults(`${field}.resourceFieldRef`, resourceFieldRef, true))
    } else faults.push(required(field, 'one of fieldRef and resourceFieldRef is required'))
    return faults
  })
}
const VOLUME_FIELD_PATHS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

/** Every field that pods can be asked for, downward. */
const KNOWN_PATHS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.podIP',
  'status.podIPs',
  'spec.host',
])

function fieldPath(field: string, path: string, supported: readonly string[]): Faults {
  if (path === '') return [required(`${field}.fieldPath`)]
  if (FIELD_KEYS.test(path)) return []
  if (!KNOWN_PATHS.has(path)) {
    const why = `error converting fieldPath: field label not supported: ${path}`
    return [invalidValue(`${field}.fieldPath`, path, why)]
  }
  return supported.includes(path) ? [] : [unsupported(`${field}.fieldPath`, path, supported)]
}

export function relativePath(field: string, path: string): Faults {
  const faults: Faults = []
  if (path.startsWith('/')) faults.push(invalidValue(field, path, 'must be a relative path'))
  if (path.split('/').includes('..')) faults.push(invalidValue(field, path, "must not contain '..'"))
  else if (path.startsWith('..')) faults.push(invalidValue(field, path, "must not start with '..'"))
  return faults
}

function envFaults(field: string, env: EnvVar[]): Faults {
  return env.flatMap((variable, i) => {
    const at = `${field}[${i}]`
    const faults: Faults = []
    if (variable.name === '') faults.push(required(`${at}.name`))
    else faults.push(...envName(`${at}.name`, variable.name))
    return [...faults, ...valueFromFaults(`${at}.valueFrom`, variable)]
  })
}

const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.podIP',
  'status.podIPs',
]
const FIELD_KEYS = /^metadata\.(annotations|labels)\['.*'\]$/

function valueFromFaults(field: string, { value, valueFrom }: EnvVar): Faults {
  if (!valueFrom) return []
  const faults: Faults = []
  const sources = Object.values(valueFrom).filter(Boolean).length
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) faults.push(...fieldPath(`${field}.fieldRef`, fieldRef.fieldPath, FIELD_PATHS))
  if (resourceFieldRef) {
    faults.push(...resourceFieldFaults(`${field}.resourceFieldRef`, resourceFieldRef, false))
  }
  for (const [part, selector] of [
    ['configMapKeyRef', configMapKeyRef],
    ['secretKeyRef', secretKeyRef],
  ] as const) {
    if (!selector) continue
    faults.push(...name('subdomain', `${field}.${part}.name`, selector.name ?? ''))
    if (selector.key === '') faults.push(required(`${field}.${part}.key`))
    else faults.push(...configKey(`${field}.${part}.key`, selector.key))
  }
  if (sources === 0) {
    const why = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'
    faults.push(invalidValue(field, '', why))
  } else if (value) {
    faults.push(invalidValue(field, '', 'may not be specified when `value` is not empty'))
  } else if (sources > 1) {
    faults.push(invalidValue(field, '', 'may not have more than one field specified at a time'))
  }
  return faults
}

function envFromFaults(field: string, { envFrom = [] }: Container): Faults {
  return envFrom.flatMap(({ prefix, configMapRef, secretRef }, i) => {
    const at = `${field}[${i}]`
    const faults: Faults = prefix ? envName(`${at}.prefix`, prefix) : []
    if (configMapRef) faults.push(...requiredName('subdomain', `${at}.configMapRef.name`, configMapRef.name))
    if (secretRef) faults.push(...requiredName('subdomain', `${at}.secretRef.name`, secretRef.name))
    // The list is named, not the item.
    if (!configMapRef && !secretRef) {
      faults.push(invalidValue(field, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (configMapRef && secretRef) {
      faults.push(invalidValue(field, '', 'may not have more than one field specified at a time'))
    }
    return faults
  })
}

function mountFaults(field: string, container: Container, volumes: ReadonlySet<string>): Faults {
  const paths = new Set<string>()
  return [
    ...(container.volumeMounts ?? []).flatMap((mount, i) => {
      const at = `${field}.volumeMounts[${i}]`
      const faults: Faults = []
      if (mount.name === '') faults.push(required(`${at}.name`))
      if (!volumes.has(mount.name)) {
        faults.push(notFoundValue(`${at}.name`, mount.name))
      }
      if (mount.mountPath === '') faults.push(required(`${at}.mountPath`))
      if (paths.has(mount.mountPath)) {
        faults.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'))
      }
      paths.add(mount.mountPath)
      for (const part of ['subPath', 'subPathExpr'] as const) {
        const path = mount[part]
        if (!path) continue
        if (part === 'subPathExpr' && mount.subPath) {
          faults.push(
            invalidValue(`${at}.subPathExpr`, path, 'subPathExpr and subPath are mutually exclusive'),
          )
        }
        // Without the position.
        const bare = `${field}.volumeMounts.${part}`
        if (path.startsWith('/')) faults.push(invalidValue(bare, path, 'must be a relative path'))
        if (path.split('/').includes('..')) faults.push(invalidValue(bare, path, "must not contain '..'"))
      }
      // Without the position.
      const how = mount.mountPropagation
      if (how !== undefined) {
        const supported = ['Bidirectional', 'HostToContainer', 'None']
        const bidirectional = `${field}.volumeMounts.mountPropagation`
        if (!supported.includes(how)) faults.push(unsupported(bidirectional, how, supported))
        else if (how === 'Bidirectional' && container.securityContext?.privileged !== true) {
          faults.push(
            forbidden(
              bidirectional,
              'Bidirectional mount propagation is available only to privileged containers',
            ),
          )
        }
      }
      return faults
    }),
    ...(container.volumeDevices ?? []).flatMap((device, i) => {
      const at = `${field}.volumeDevices[${i}]`
      return [
        ...(device.name === '' ? [required(`${at}.name`)] : []),
        ...(volumes.has(device.name) ? [] : [notFoundValue(`${at}.name`, device.name)]),
        ...(device.devicePath === '' ? [required(`${at}.devicePath`)] : []),
      ]
    }),
  ]
}

const SECCOMP_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** Of a container or of a pod. */
export function seccompFaults(
  field: string,
  profile: { type: string; localhostProfile?: string } | undefined,
): Faults {
  if (!profile) return []
  const { type, localhostProfile: local } = profile
  if (type === '') return [required(`${field}.type`, 'type is required when seccompProfile is set')]
  if (type === 'Localhost') {
    return local === undefined
      ? [required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost')]
      : relativePath(`${field}.localhostProfile`, local)
  }
  const faults: Faults = SECCOMP_TYPES.includes(type)
    ? []
    : [unsupported(`${field}.type`, type, SECCOMP_TYPES)]
  if (local !== undefined) {
    const why = 'can only be set when seccomp type is Localhost'
    faults.push(invalidValue(`${field}.localhostProfile`, local, why))
  }
  return faults
}

function securityFaults(field: string, context: SecurityContext | undefined): Faults {
  if (!context) return []
  const faults: Faults = []
  for (const part of ['runAsUser', 'runAsGroup'] as const) {
    const id = context[part]
    if (id !== undefined && (id < 0 || id > 2147483647)) {
      faults.push(invalidValue(`${field}.${part}`, id, 'must be between 0 and 2147483647, inclusive'))
    }
  }
  faults.push(...seccompFaults(`${field}.seccompProfile`, context.seccompProfile))
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'
      faults.push(invalidValue(field, '', why))
    }
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'
      faults.push(invalidValue(field, '', why))
    }
  }
  return faults
}

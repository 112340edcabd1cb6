/** Faults of containers: names, images, ports, probes, environment, mounts. */
import {
  duplicate,
  type Faults,
  forbidden,
  invalidValue,
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
    ...oneOf(`${field}.terminationMessagePolicy`, container.terminationMessagePolicy, [
      'FallbackToLogsOnError',
      'File',
    ]),
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
    if (exec) faults.push(forbidden(`${field}.httpGet`, 'may not specify more than 1 handler type'))
    if (!httpGet.path) faults.push(required(`${field}.httpGet.path`))
    faults.push(...numberOrName(`${field}.httpGet.port`, httpGet.port))
    faults.push(...oneOf(`${field}.httpGet.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']))
  }
  if (tcpSocket) {
    if (exec || httpGet)
      faults.push(forbidden(`${field}.tcpSocket`, 'may not specify more than 1 handler type'))
    faults.push(...numberOrName(`${field}.tcpSocket.port`, tcpSocket.port))
  }
  return faults
}

export function numberOrName(field: string, port: IntOrString): Faults {
  return typeof port === 'number' ? portNumber(field, port) : portName(field, port)
}

const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const ENV_NAME_TEXT =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"

function envFaults(field: string, env: EnvVar[]): Faults {
  return env.flatMap((variable, i) => {
    const at = `${field}[${i}]`
    const faults: Faults = []
    if (variable.name === '') faults.push(required(`${at}.name`))
    else if (!ENV_NAME.test(variable.name)) {
      faults.push(invalidValue(`${at}.name`, variable.name, ENV_NAME_TEXT))
    }
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
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) {
    const at = `${field}.fieldRef`
    if (fieldRef.fieldPath === '') faults.push(required(`${at}.fieldPath`))
    else if (!FIELD_PATHS.includes(fieldRef.fieldPath) && !FIELD_KEYS.test(fieldRef.fieldPath)) {
      faults.push(unsupported(`${at}.fieldPath`, fieldRef.fieldPath, [...FIELD_PATHS].sort()))
    }
  }
  for (const [part, selector] of [
    ['configMapKeyRef', configMapKeyRef],
    ['secretKeyRef', secretKeyRef],
  ] as const) {
    if (!selector) continue
    if (!selector.name) faults.push(required(`${field}.${part}.name`))
    if (selector.key === '') faults.push(required(`${field}.${part}.key`))
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
    const faults: Faults = []
    if (prefix && !ENV_NAME.test(prefix)) faults.push(invalidValue(`${at}.prefix`, prefix, ENV_NAME_TEXT))
    if (!configMapRef && !secretRef) {
      faults.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (configMapRef && secretRef) {
      faults.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
    }
    if (configMapRef && !configMapRef.name) faults.push(required(`${at}.configMapRef.name`))
    if (secretRef && !secretRef.name) faults.push(required(`${at}.secretRef.name`))
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
      if (mount.subPath?.startsWith('/')) {
        faults.push(invalidValue(`${at}.subPath`, mount.subPath, 'must be a relative path'))
      }
      if (mount.subPath?.split('/').includes('..')) {
        faults.push(invalidValue(`${at}.subPath`, mount.subPath, "must not contain '..'"))
      }
      return faults
    }),
    ...(container.volumeDevices ?? []).flatMap((device, i) => {
      const at = `${field}.volumeDevices[${i}]`
      return [
        ...(device.name === '' ? [required(`${at}.name`)] : []),
        ...(device.devicePath === '' ? [required(`${at}.devicePath`)] : []),
      ]
    }),
  ]
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

/** policy/v1beta1 PodSecurityPolicy. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import {
  duplicate,
  type Faults,
  forbidden,
  goTexts,
  invalidValue,
  name,
  oneOf,
  required,
  unsupported,
} from '../faults.js'
import { csiDriver, SOURCES } from '../pods/sources.js'
import { type KindRules } from '../rules.js'

interface Ranges {
  rule: string
  ranges?: { min: number; max: number }[]
}

interface PodSecurityPolicy extends KubeObject {
  spec: {
    allowPrivilegeEscalation?: boolean
    defaultAllowPrivilegeEscalation?: boolean
    requiredDropCapabilities?: string[]
    allowedCapabilities?: string[]
    defaultAddCapabilities?: string[]
    volumes?: string[]
    runAsUser: Ranges
    runAsGroup?: Ranges
    seLinux: { rule: string }
    fsGroup: Ranges
    supplementalGroups: Ranges
    allowedProcMountTypes?: string[]
    allowedHostPaths?: { pathPrefix?: string }[]
    allowedFlexVolumes?: { driver: string }[]
    allowedCSIDrivers?: { name: string }[]
    allowedUnsafeSysctls?: string[]
    forbiddenSysctls?: string[]
    runtimeClass?: { allowedRuntimeClassNames: string[] | null; defaultRuntimeClassName?: string }
  }
}

export const podSecurityPolicy: KindRules = {
  // What escalation is allowed is allowed unless it is forbidden.
  defaults(object) {
    const { spec } = object as PodSecurityPolicy
    spec.allowPrivilegeEscalation ??= true
  },
  // Behind a gate that is closed.
  prepareForCreate: dropGated,
  prepareForUpdate: dropGated,
  validate: (object) => specFaults((object as PodSecurityPolicy).spec),
}

function dropGated(object: object): void {
  delete (object as PodSecurityPolicy).spec.allowedProcMountTypes
}

const GROUP_RULES = ['MayRunAs', 'MustRunAs', 'RunAsAny']

function specFaults(spec: PodSecurityPolicy['spec']): Faults {
  const { requiredDropCapabilities: dropped = [], allowedCapabilities: allowed = [] } = spec
  const faults = [
    ...ranged('spec.runAsUser', spec.runAsUser, ['MustRunAs', 'MustRunAsNonRoot', 'RunAsAny']),
    ...groupFaults('spec.runAsGroup', spec.runAsGroup),
    ...oneOf('spec.seLinux.rule', spec.seLinux.rule, ['MustRunAs', 'RunAsAny']),
    ...ranged('spec.supplementalGroups', spec.supplementalGroups, GROUP_RULES),
    ...ranged('spec.fsGroup', spec.fsGroup, GROUP_RULES),
    ...volumeFaults(spec.volumes ?? []),
  ]
  if (dropped.length > 0 && allowed.includes('*')) {
    const why = 'must be empty when all capabilities are allowed by a wildcard'
    faults.push(invalidValue('requiredDropCapabilities', goTexts(dropped), why))
  }
  for (const part of ['defaultAddCapabilities', 'allowedCapabilities'] as const) {
    for (const capability of spec[part] ?? []) {
      if (!dropped.includes(capability)) continue
      faults.push(
        invalidValue(part, capability, 'capability is listed in ' + part + ' and requiredDropCapabilities'),
      )
    }
  }
  if (spec.defaultAllowPrivilegeEscalation && !spec.allowPrivilegeEscalation) {
    const why =
      'Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true'
    faults.push(invalidValue('spec.defaultAllowPrivilegeEscalation', true, why))
  }
  ;(spec.allowedHostPaths ?? []).forEach(({ pathPrefix = '' }, i) => {
    const at = `spec.allowedHostPaths[${i}]`
    if (pathPrefix === '') faults.push(required(at, 'is required'))
    else if (pathPrefix.split('/').includes('..'))
      faults.push(invalidValue(at, pathPrefix, "must not contain '..'"))
  })
  ;(spec.allowedFlexVolumes ?? []).forEach(({ driver }, i) => {
    // The list is named twice.
    const at = `spec.allowedFlexVolumes.allowedFlexVolumes[${i}].driver`
    if (driver === '') faults.push(required(at, 'must specify a driver'))
  })
  ;(spec.allowedCSIDrivers ?? []).forEach(({ name: driver }, i) => {
    faults.push(...csiDriver(`spec.allowedCSIDrivers.allowedCSIDriver[${i}].name`, driver))
  })
  return [
    ...faults,
    ...sysctlFaults('spec.allowedUnsafeSysctls', spec.allowedUnsafeSysctls ?? []),
    ...sysctlFaults('spec.forbiddenSysctls', spec.forbiddenSysctls ?? []),
    ...overlapFaults(spec.allowedUnsafeSysctls ?? [], spec.forbiddenSysctls ?? []),
    ...runtimeFaults('spec.runtimeClass', spec.runtimeClass),
  ]
}

function ranged(field: string, { rule, ranges = [] }: Ranges, rules: readonly string[]): Faults {
  return [
    ...oneOf(`${field}.rule`, rule, rules),
    ...ranges.flatMap((range, i) => rangeFaults(`${field}.ranges[${i}]`, range)),
  ]
}

function rangeFaults(field: string, { min, max }: { min: number; max: number }): Faults {
  const faults: Faults = []
  if (min < 0) faults.push(invalidValue(`${field}.min`, min, 'min cannot be negative'))
  if (max < 0) faults.push(invalidValue(`${field}.max`, max, 'max cannot be negative'))
  if (min > max) faults.push(invalidValue(`${field}.min`, min, 'min cannot be greater than max'))
  return faults
}

function groupFaults(field: string, group: Ranges | undefined): Faults {
  if (!group) return []
  const { rule, ranges = [] } = group
  switch (rule) {
    case 'RunAsAny':
      return ranges.length > 0 ? [invalidValue(`${field}.ranges`, ranges, 'Ranges must be empty')] : []
    case 'MustRunAs':
    case 'MayRunAs':
      return ranges.length === 0
        ? [invalidValue(`${field}.ranges`, null, 'must provide at least one range')]
        : ranges.flatMap((range, i) => rangeFaults(`${field}.ranges[${i}]`, range))
    default:
      return [unsupported(`${field}.rule`, rule, ['MustRunAs', 'RunAsAny', 'MayRunAs'])]
  }
}

/** As policies name the sources of volumes. */
const SPELT: Readonly<Record<string, string>> = { cephfs: 'cephFS' }
const VOLUMES = [
  '*',
  ...Object.keys(SOURCES)
    .filter((source) => source !== 'local')
    .map((source) => SPELT[source] ?? source),
].sort()

function volumeFaults(volumes: readonly string[]): Faults {
  return volumes.flatMap((volume) => oneOf('spec.volumes', volume, VOLUMES))
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]$/
const SYSCTL_TEXT = String.raw`([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]`

function sysctlFaults(field: string, sysctls: readonly string[]): Faults {
  const faults = sysctls.flatMap((sysctl, i) => {
    if (sysctl === '') return [invalidValue(`${field}[${i}]`, sysctl, 'empty sysctl not allowed')]
    const why = `must have at most 253 characters and match regex ${SYSCTL_TEXT}`
    return sysctl.length > 253 || !SYSCTL.test(sysctl) ? [invalidValue(`${field}[${i}]`, sysctl, why)] : []
  })
  if (sysctls.length > 1 && sysctls.some((sysctl) => sysctl.startsWith('*'))) {
    faults.push(forbidden(`${field}.items`, "if '*' is present, must not specify other sysctls"))
  }
  return faults
}

function overlapFaults(allowed: readonly string[], forbiddenOnes: readonly string[]): Faults {
  const covers = (pattern: string, other: string): boolean =>
    pattern.endsWith('*') ? other.startsWith(pattern.slice(0, -1)) : pattern === other
  return allowed.flatMap((one, i) =>
    forbiddenOnes.flatMap((other, j) => {
      if (covers(other, one)) {
        return [invalidValue(`spec.allowedUnsafeSysctls[${i}]`, one, `sysctl overlaps with ${other}`)]
      }
      return covers(one, other)
        ? [invalidValue(`spec.forbiddenSysctls[${j}]`, other, `sysctl overlaps with ${one}`)]
        : []
    }),
  )
}

function runtimeFaults(field: string, strategy: PodSecurityPolicy['spec']['runtimeClass']): Faults {
  if (!strategy) return []
  const allowed = strategy.allowedRuntimeClassNames ?? []
  const at = `${field}.allowedRuntimeClassNames`
  const faults = allowed.flatMap((each, i) => [
    ...(each === '*' ? [] : name('subdomain', `${at}[${i}]`, each)),
    ...(allowed.indexOf(each) < i ? [duplicate(`${at}[${i}]`, each)] : []),
  ])
  const wanted = strategy.defaultRuntimeClassName
  if (wanted !== undefined) {
    faults.push(...name('subdomain', `${field}.defaultRuntimeClassName`, wanted))
    if (!allowed.includes('*') && !allowed.includes(wanted)) {
      faults.push(required(at, `default ${JSON.stringify(wanted)} must be allowed`))
    }
  }
  if (allowed.includes('*') && allowed.length > 1) {
    const why = "if '*' is present, must not specify other RuntimeClass names"
    faults.push(invalidValue(at, goTexts(allowed), why))
  }
  return faults
}

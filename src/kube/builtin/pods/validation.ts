/**
 * Faults of a pod's spec, in the order kube-apiserver finds them. Volume sources beyond those named in
 * volumes.ts, and Windows and SELinux options, are checked by the schema only.
 */
import { isIP } from 'node:net'
import { labelValueFaults } from '../../../apimachinery/meta/names.js'
import {
  annotations,
  duplicate,
  type Faults,
  forbidden,
  invalidValue,
  labels,
  labelSelector,
  name,
  oneOf,
  qualifiedName,
  required,
  unsupported,
} from '../faults.js'
import {
  type Affinity,
  type LabelSelectorRequirement,
  type NodeSelectorTerm,
  type PodAffinity,
  type PodAffinityTerm,
  type PodSpec,
  type PodTemplateSpec,
  type Toleration,
} from '../types.js'
import { containerFaults, type ContainerContext, hostPortFaults, seccompFaults } from './containers.js'
import { volumeFaults } from './volumes.js'

export function podTemplateFaults(field: string, template: PodTemplateSpec): Faults {
  return [
    ...labels(`${field}.labels`, template.metadata.labels),
    ...annotations(`${field}.annotations`, template.metadata.annotations),
    ...podSpecFaults(`${field}.spec`, template.spec),
  ]
}

export function podSpecFaults(field: string, spec: PodSpec): Faults {
  const { names: volumes, faults } = volumeFaults(`${field}.volumes`, spec.volumes ?? [])
  const seen: ContainerContext = { names: new Set(), volumes }
  const containers = spec.containers ?? []
  if (containers.length === 0) faults.push(required(`${field}.containers`))
  containers.forEach((container, i) => {
    faults.push(...containerFaults(`${field}.containers[${i}]`, container, seen))
  })
  faults.push(...hostPortFaults(`${field}.containers`, containers))
  ;(spec.initContainers ?? []).forEach((container, i) => {
    faults.push(...containerFaults(`${field}.initContainers[${i}]`, container, seen, true))
  })
  if (spec.restartPolicy === undefined) faults.push(required(`${field}.restartPolicy`))
  else faults.push(...oneOf(`${field}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']))
  faults.push(
    ...oneOf(`${field}.dnsPolicy`, spec.dnsPolicy, [
      'ClusterFirstWithHostNet',
      'ClusterFirst',
      'Default',
      'None',
    ]),
    ...labels(`${field}.nodeSelector`, spec.nodeSelector),
    ...securityFaults(`${field}.securityContext`, spec),
    ...affinityFaults(`${field}.affinity`, spec.affinity),
    ...dnsConfigFaults(`${field}.dnsConfig`, spec),
    ...(spec.readinessGates ?? []).flatMap((gate, i) =>
      qualifiedName(`${field}.readinessGates[${i}].conditionType`, gate.conditionType),
    ),
    ...spreadFaults(`${field}.topologySpreadConstraints`, spec),
    ...hostAliasFaults(`${field}.hostAliases`, spec.hostAliases ?? []),
  )
  if (spec.serviceAccountName) {
    faults.push(...name('subdomain', `${field}.serviceAccountName`, spec.serviceAccountName))
  }
  if (spec.nodeName) faults.push(...name('subdomain', `${field}.nodeName`, spec.nodeName))
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647)) {
    const why = 'must be between 1 and 2147483647, inclusive'
    faults.push(invalidValue(`${field}.activeDeadlineSeconds`, deadline, why))
  }
  if (spec.hostname) faults.push(...name('label', `${field}.hostname`, spec.hostname))
  if (spec.subdomain) faults.push(...name('label', `${field}.subdomain`, spec.subdomain))
  faults.push(
    ...tolerationFaults(`${field}.tolerations`, spec.tolerations ?? []),
    ...(spec.priorityClassName
      ? name('subdomain', `${field}.priorityClassName`, spec.priorityClassName)
      : []),
    ...(spec.runtimeClassName === undefined
      ? []
      : name('subdomain', `${field}.runtimeClassName`, spec.runtimeClassName)),
  )
  if (spec.preemptionPolicy === '') faults.push(required(`${field}.preemptionPolicy`))
  else if (spec.preemptionPolicy !== undefined) {
    faults.push(
      ...oneOf(`${field}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']),
    )
  }
  return faults
}

function securityFaults(field: string, spec: PodSpec): Faults {
  const id = (part: 'runAsUser' | 'runAsGroup' | 'fsGroup') => {
    const value = spec.securityContext?.[part]
    return value !== undefined && (value < 0 || value > 2147483647)
      ? [invalidValue(`${field}.${part}`, value, 'must be between 0 and 2147483647, inclusive')]
      : []
  }
  const faults = [...id('fsGroup'), ...id('runAsUser'), ...id('runAsGroup')]
  const {
    supplementalGroups = [],
    sysctls = [],
    fsGroupChangePolicy,
    seccompProfile,
  } = spec.securityContext ?? {}
  supplementalGroups.forEach((group, i) => {
    if (group >= 0 && group <= 2147483647) return
    const why = 'must be between 0 and 2147483647, inclusive'
    faults.push(invalidValue(`${field}.supplementalGroups[${i}]`, group, why))
  })
  if (spec.shareProcessNamespace && spec.hostPID) {
    faults.push(
      invalidValue(
        `${field}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    )
  }
  const names = new Set<string>()
  sysctls.forEach(({ name: sysctl }, i) => {
    const at = `${field}.sysctls[${i}].name`
    if (sysctl === '') faults.push(required(at))
    else if (sysctl.length > 253 || !SYSCTL.test(sysctl)) {
      faults.push(invalidValue(at, sysctl, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`))
    } else if (names.has(sysctl)) faults.push(duplicate(at, sysctl))
    names.add(sysctl)
  })
  if (fsGroupChangePolicy !== undefined) {
    faults.push(...oneOf(`${field}.fsGroupChangePolicy`, fsGroupChangePolicy, ['Always', 'OnRootMismatch']))
  }
  return [...faults, ...seccompFaults(`${field}.seccompProfile`, seccompProfile)]
}

const SYSCTL_TEXT = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?\\.)*[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL = new RegExp(`^${SYSCTL_TEXT}$`)

function hostAliasFaults(field: string, aliases: NonNullable<PodSpec['hostAliases']>): Faults {
  // Without positions.
  return aliases.flatMap(({ ip = '', hostnames = [] }) => [
    ...(isIP(ip) === 0 ? [invalidValue(`${field}.ip`, ip, 'must be valid IP address')] : []),
    ...hostnames.flatMap((hostname) => name('subdomain', `${field}.hostnames`, hostname)),
  ])
}

function dnsConfigFaults(field: string, { dnsPolicy, dnsConfig }: PodSpec): Faults {
  const servers = dnsConfig?.nameservers ?? []
  if (dnsPolicy === 'None' && !dnsConfig) {
    return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')]
  }
  if (dnsPolicy === 'None' && servers.length === 0) {
    return [
      required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    ]
  }
  const faults: Faults = []
  if (servers.length > 3) {
    faults.push(invalidValue(`${field}.nameservers`, servers, 'must not have more than 3 nameservers'))
  }
  servers.forEach((server, i) => {
    if (isIP(server) === 0) {
      faults.push(invalidValue(`${field}.nameservers[${i}]`, server, 'must be valid IP address'))
    }
  })
  const searches = dnsConfig?.searches ?? []
  if (searches.length > 6) {
    faults.push(invalidValue(`${field}.searches`, searches, 'must not have more than 6 search paths'))
  }
  if (searches.join(' ').length > 256) {
    const why = 'must not have more than 256 characters (including spaces) in the search list'
    faults.push(invalidValue(`${field}.searches`, searches, why))
  }
  searches.forEach((search, i) => {
    faults.push(...name('subdomain', `${field}.searches[${i}]`, search.replace(/\.$/, '')))
  })
  dnsConfig?.options?.forEach((option, i) => {
    if (!option.name) faults.push(required(`${field}.options[${i}]`, 'must not be empty'))
  })
  return faults
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']

function nodeRequirement(field: string, { key, operator, values = [] }: LabelSelectorRequirement): Faults {
  const faults: Faults = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      faults.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
      faults.push(forbidden(`${field}.values`, why))
    }
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      const why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
      faults.push(required(`${field}.values`, why))
    }
  } else if (!OPERATORS.includes(operator)) {
    faults.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'))
  }
  return [...faults, ...qualifiedName(`${field}.key`, key)]
}

function nodeTerm(field: string, term: NodeSelectorTerm): Faults {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, i) =>
      nodeRequirement(`${field}.matchExpressions[${i}]`, requirement),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, i) =>
      fieldRequirement(`${field}.matchFields[${i}]`, requirement),
    ),
  ]
}

/** Of a node only the name can be selected as a field, one at a time. */
function fieldRequirement(field: string, { key, operator, values = [] }: LabelSelectorRequirement): Faults {
  const faults: Faults = []
  if (operator !== 'In' && operator !== 'NotIn') {
    faults.push(invalidValue(`${field}.operator`, operator, 'not a valid selector operator'))
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    faults.push(required(`${field}.values`, why))
  }
  if (key !== 'metadata.name') {
    return [...faults, invalidValue(`${field}.key`, key, 'not a valid field selector key')]
  }
  return [...faults, ...values.flatMap((value, i) => name('subdomain', `${field}.values[${i}]`, value))]
}

export function nodeSelectorFaults(field: string, terms: NodeSelectorTerm[] | null): Faults {
  if (!terms || terms.length === 0) {
    return [required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')]
  }
  return terms.flatMap((term, i) => nodeTerm(`${field}.nodeSelectorTerms[${i}]`, term))
}

function affinityFaults(field: string, affinity: Affinity | undefined): Faults {
  const node = affinity?.nodeAffinity
  const at = `${field}.nodeAffinity`
  const hard = node?.requiredDuringSchedulingIgnoredDuringExecution
  return [
    ...(hard
      ? nodeSelectorFaults(`${at}.requiredDuringSchedulingIgnoredDuringExecution`, hard.nodeSelectorTerms)
      : []),
    ...(node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ weight, preference }, i) => [
      ...weightFaults(`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].weight`, weight),
      ...nodeTerm(`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, preference),
    ]),
    ...podAffinityFaults(`${field}.podAffinity`, affinity?.podAffinity),
    ...podAffinityFaults(`${field}.podAntiAffinity`, affinity?.podAntiAffinity),
  ]
}

function weightFaults(field: string, weight: number): Faults {
  return weight < 1 || weight > 100 ? [invalidValue(field, weight, 'must be in the range 1-100')] : []
}

function podAffinityFaults(field: string, affinity: PodAffinity | undefined): Faults {
  const hard = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const soft = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [
    ...hard.flatMap((term, i) =>
      affinityTerm(`${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term),
    ),
    ...soft.flatMap(({ weight, podAffinityTerm }, i) => {
      const at = `${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      return [
        ...weightFaults(`${at}.weight`, weight),
        ...affinityTerm(`${at}.podAffinityTerm`, podAffinityTerm),
      ]
    }),
  ]
}

function affinityTerm(field: string, term: PodAffinityTerm): Faults {
  return [
    // Not the name of the field.
    ...labelSelector(`${field}.matchExpressions`, term.labelSelector),
    ...(term.namespaces ?? []).flatMap((namespace) => name('label', `${field}.namespace`, namespace)),
    ...(term.topologyKey === '' ? [required(`${field}.topologyKey`, 'can not be empty')] : []),
    ...qualifiedName(`${field}.topologyKey`, term.topologyKey),
  ]
}

function spreadFaults(field: string, spec: PodSpec): Faults {
  const constraints = spec.topologySpreadConstraints ?? []
  return constraints.flatMap(({ maxSkew, topologyKey, whenUnsatisfiable }, i) => {
    const at = `${field}[${i}]`
    const pair = (c: { topologyKey: string; whenUnsatisfiable: string }) =>
      `{${c.topologyKey}, ${c.whenUnsatisfiable}}`
    const own = pair({ topologyKey, whenUnsatisfiable })
    // The first is told that it is there again.
    const repeated = constraints.slice(i + 1).filter((other) => pair(other) === own)
    return [
      ...(maxSkew > 0 ? [] : [invalidValue(`${at}.maxSkew`, maxSkew, 'must be greater than zero')]),
      ...(topologyKey === '' ? [required(`${at}.topologyKey`, 'can not be empty')] : []),
      ...oneOf(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']),
      ...repeated.map(() => duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, own)),
    ]
  })
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function tolerationFaults(field: string, tolerations: Toleration[]): Faults {
  return tolerations.flatMap((toleration, i) => {
    const at = `${field}[${i}]`
    const { key = '', operator = '', value = '', effect = '' } = toleration
    const faults: Faults = key === '' ? [] : qualifiedName(`${at}.key`, key)
    if (key === '' && operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      faults.push(invalidValue(`${at}.operator`, operator, why))
    }
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
      faults.push(invalidValue(`${at}.effect`, effect, why))
    }
    if (operator === 'Exists') {
      if (value !== '') {
        const why = "value must be empty when `operator` is 'Exists'"
        faults.push(invalidValue(`${at}.operator`, value, why))
      }
    } else if (operator === '' || operator === 'Equal') {
      const wrong = labelValueFaults(value)
      if (wrong.length > 0) faults.push(invalidValue(`${at}.operator`, value, wrong.join(';')))
    } else {
      faults.push(unsupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    }
    if (effect !== '' && !EFFECTS.includes(effect)) faults.push(unsupported(`${at}.effect`, effect, EFFECTS))
    return faults
  })
}

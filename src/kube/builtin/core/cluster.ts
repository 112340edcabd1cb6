/** v1 Namespace and Node. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { labelValueFaults } from '../../../apimachinery/meta/names.js'
import { type FieldFault } from '../../../apimachinery/errors/index.js'
import {
  duplicate,
  type Faults,
  forbidden,
  go,
  invalidValue,
  oneOf,
  qualifiedName,
  required,
  same,
} from '../faults.js'
import { type KindRules } from '../rules.js'

interface Namespace extends KubeObject {
  spec: { finalizers?: string[] }
  status: { phase?: string }
}

const namespaceView = (object: object) => object as Namespace

export const namespace: KindRules = {
  nameRule: 'label',
  defaults(object) {
    namespaceView(object).status.phase ??= 'Active'
  },
  prepareForCreate(object) {
    const own = namespaceView(object)
    own.status = { phase: 'Active' }
    own.spec.finalizers ??= []
    if (!own.spec.finalizers.includes('kubernetes')) own.spec.finalizers.push('kubernetes')
  },
  prepareForUpdate(object, previous, context) {
    // Only /finalize changes the finalizers of the spec.
    if (context.subresource !== 'finalize') namespaceView(object).spec = namespaceView(previous).spec
  },
  validate: (object) =>
    (namespaceView(object).spec.finalizers ?? []).flatMap((finalizer, i) =>
      qualifiedName(`spec.finalizers[${i}]`, finalizer),
    ),
  fieldSelectors: {
    'status.phase': (object) => namespaceView(object).status.phase ?? '',
    name: (object) => object.metadata.name ?? '',
  },
}

interface Node extends KubeObject {
  spec: {
    podCIDR?: string
    podCIDRs?: string[]
    providerID?: string
    unschedulable?: boolean
    taints?: { key: string; value?: string; effect: string }[]
  }
  status: { capacity?: Record<string, string>; allocatable?: Record<string, string> }
}

const nodeView = (object: object) => object as Node

export const node: KindRules = {
  defaults(object) {
    const { spec, status } = nodeView(object)
    if (status.allocatable === undefined && status.capacity !== undefined) {
      status.allocatable = { ...status.capacity }
    }
    // One range for each node: a second one is of a later release.
    const range = spec.podCIDR ?? spec.podCIDRs?.[0]
    if (range !== undefined) Object.assign(spec, { podCIDR: range, podCIDRs: [range] })
  },
  validate: (object) => taintFaults(nodeView(object).spec),
  validateUpdate(object, previous) {
    const [after, before] = [nodeView(object).spec, nodeView(previous).spec]
    const faults: Faults = []
    if (before.podCIDR !== undefined && after.podCIDR !== before.podCIDR) {
      const why = 'node updates may not change podCIDR except from "" to valid'
      faults.push(forbidden('spec.podCIDRs', why))
    }
    if (before.providerID && after.providerID !== before.providerID) {
      const why = 'node updates may not change providerID except from "" to valid'
      faults.push(forbidden('spec.providerID', why))
    }
    if (!same(settled(after, before), settled(before, before))) {
      const why =
        'node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)'
      faults.push(forbidden('[]', why))
    }
    return faults
  },
  fieldSelectors: {
    'spec.unschedulable': (object) => String(nodeView(object).spec.unschedulable ?? false),
  },
}

/** What of a spec stays as it is: all but what is switched, and what is yet to be given. */
function settled(spec: Node['spec'], before: Node['spec']): unknown {
  const { unschedulable: _, taints: __, podCIDR, podCIDRs: ___, providerID, ...rest } = spec
  return {
    ...rest,
    ...(before.podCIDR && { podCIDR: podCIDR ?? '' }),
    ...(before.providerID && { providerID: providerID ?? '' }),
  }
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function repeatedTaint(field: string, taint: { key: string; value: string; effect: string }): FieldFault {
  const [key, value, effect] = [taint.key, taint.value, taint.effect].map((part) => JSON.stringify(part))
  const shown = go(`core.Taint{Key:${key}, Value:${value}, Effect:${effect}, TimeAdded:<nil>}`)
  const fault = duplicate(field, shown)
  return { ...fault, message: `${fault.message}: taints must be unique by key and effect pair` }
}

function taintFaults({ taints = [] }: Node['spec']): Faults {
  const seen = new Set<string>()
  return taints.flatMap(({ key, value = '', effect }, i) => {
    const at = `metadata.taints[${i}]`
    const pair = `${key}/${effect}`
    const faults = [
      ...qualifiedName(`${at}.key`, key),
      ...labelValueFaults(value).map((why) => invalidValue(`${at}.value`, value, why)),
      ...(effect === '' ? [required(`${at}.effect`)] : oneOf(`${at}.effect`, effect, EFFECTS)),
      ...(seen.has(pair) ? [repeatedTaint(at, { key, value, effect })] : []),
    ]
    seen.add(pair)
    return faults
  })
}

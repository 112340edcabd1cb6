/** v1 Namespace and Node. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { labelValueFaults } from '../../../apimachinery/meta/names.js'
import { duplicate, type Faults, forbidden, invalidValue, oneOf, qualifiedName, required } from '../faults.js'
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
    if (spec.podCIDR !== undefined) spec.podCIDRs ??= [spec.podCIDR]
    if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR ??= spec.podCIDRs[0]
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
    return faults
  },
  fieldSelectors: {
    'spec.unschedulable': (object) => String(nodeView(object).spec.unschedulable ?? false),
  },
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function taintFaults({ taints = [] }: Node['spec']): Faults {
  const seen = new Set<string>()
  return taints.flatMap(({ key, value = '', effect }, i) => {
    const at = `metadata.taints[${i}]`
    const pair = `${key}/${effect}`
    const faults = [
      ...qualifiedName(`${at}.key`, key),
      ...labelValueFaults(value).map((why) => invalidValue(`${at}.value`, value, why)),
      ...(effect === '' ? [required(`${at}.effect`)] : oneOf(`${at}.effect`, effect, EFFECTS)),
      ...(seen.has(pair) ? [duplicate(at, { Key: key, Effect: effect })] : []),
    ]
    seen.add(pair)
    return faults
  })
}

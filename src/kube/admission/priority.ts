/** Priority: a pod's priority comes from its class, and only one class is the default. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Pod } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin, type AdmissionRequest } from '../registry/strategy.js'
import { isAbout, refusal } from './refusal.js'

interface PriorityClass extends KubeObject {
  value?: number
  globalDefault?: boolean
  preemptionPolicy?: string
}

const GROUP = 'scheduling.k8s.io'
const RESOURCE = 'priorityclasses'
const PREEMPTS = 'PreemptLowerPriority'

export function priority(objects: Objects): AdmissionPlugin {
  return {
    name: 'Priority',
    admit(request) {
      const { operation, object, previous } = request
      if (!object || !isAbout(request, '', 'pods')) return
      if (operation === 'CREATE') return prioritize(objects, request, object as Pod)
      // Clients of before do not know the field.
      if (previous) (object as Pod).spec.priority ??= (previous as Pod).spec.priority as number
    },
    validate(request) {
      const { object, name } = request
      if (!isAbout(request, GROUP, RESOURCE) || !(object as PriorityClass | undefined)?.globalDefault) return
      const known = defaultClass(objects)?.metadata.name
      if (known === undefined || known === name) return
      const why = `PriorityClass ${known} is already marked as default. Only one default can exist`
      throw refusal(request, why)
    },
  }
}

/** The lowest, should there be several all the same. */
function defaultClass(objects: Objects): Readonly<PriorityClass> | undefined {
  let found: Readonly<PriorityClass> | undefined
  for (const each of objects.sharedList<PriorityClass>(GROUP, RESOURCE)) {
    if (each.globalDefault && (!found || (each.value ?? 0) < (found.value ?? 0))) found = each
  }
  return found
}

/** @throws StatusError 403 for an unknown class, or values that are not those of the class */
function prioritize(objects: Objects, request: AdmissionRequest, { spec }: Pod): void {
  const name = spec.priorityClassName ?? ''
  const found = name === '' ? defaultClass(objects) : objects.shared<PriorityClass>(GROUP, RESOURCE, '', name)
  if (!found && name !== '') throw refusal(request, `no PriorityClass with name ${name} was found`)
  if (found) spec.priorityClassName = found.metadata.name ?? ''
  const value = found?.value ?? 0
  const policy = found?.preemptionPolicy ?? PREEMPTS
  const mismatch = (what: string, given: string | number, computed: string | number): Error =>
    refusal(
      request,
      `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`,
    )
  if (spec.priority !== undefined && spec.priority !== value) {
    throw mismatch('integer value of priority', spec.priority, value)
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw mismatch('string value of PreemptionPolicy', spec.preemptionPolicy, policy)
  }
  spec.priority = value
  spec.preemptionPolicy = policy
}

/** Events: v1, and the same objects as events.k8s.io shows them. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, invalidValue, name, qualifiedName, required } from '../faults.js'
import { type KindRules } from '../rules.js'
import { type ObjectReference } from '../types.js'

interface CoreEvent extends KubeObject {
  involvedObject: ObjectReference
  reason?: string
  type?: string
  source?: { component?: string; host?: string }
  eventTime?: string | null
  reportingComponent?: string
}

/** An event of events.k8s.io under the names of v1. */
interface NewEvent extends KubeObject {
  regarding: ObjectReference
  reason?: string
  type?: string
  action?: string
  eventTime?: string | null
  reportingController?: string
  reportingInstance?: string
  deprecatedSource?: { component?: string; host?: string }
}

const view = (object: object) => object as CoreEvent
const newView = (object: object) => object as NewEvent

const shared: KindRules = { nameRule: 'path-segment', allowCreateOnUpdate: true }

const involved = (part: keyof ObjectReference) => (object: object) => view(object).involvedObject[part] ?? ''

export const event: KindRules = {
  ...shared,
  validate: (object) => namespaceFaults(object, view(object).involvedObject, 'involvedObject'),
  fieldSelectors: {
    'involvedObject.kind': involved('kind'),
    'involvedObject.namespace': involved('namespace'),
    'involvedObject.name': involved('name'),
    'involvedObject.uid': involved('uid'),
    'involvedObject.apiVersion': involved('apiVersion'),
    'involvedObject.resourceVersion': (object) =>
      (view(object).involvedObject as { resourceVersion?: string }).resourceVersion ?? '',
    'involvedObject.fieldPath': involved('fieldPath'),
    reason: (object) => view(object).reason ?? '',
    reportingComponent: (object) => view(object).reportingComponent ?? '',
    source: (object) => view(object).source?.component || (view(object).reportingComponent ?? ''),
    type: (object) => view(object).type ?? '',
  },
}

export const eventV1: KindRules = {
  ...shared,
  validate(object) {
    const own = newView(object)
    const faults = namespaceFaults(object, own.regarding, 'involvedObject')
    if (own.eventTime === undefined || own.eventTime === null) faults.push(required('eventTime'))
    if (!own.reportingController) faults.push(required('reportingController'))
    faults.push(...qualifiedName('reportingController', own.reportingController ?? ''))
    if (!own.reportingInstance) faults.push(required('reportingInstance'))
    if (!own.action) faults.push(required('action'))
    if (!own.reason) faults.push(required('reason'))
    if (own.type !== 'Normal' && own.type !== 'Warning') {
      faults.push(invalidValue('type', own.type ?? '', 'has invalid value: ' + (own.type ?? '')))
    }
    return faults
  },
  fieldSelectors: {
    // Objects are selected as they are stored: under the names of v1.
    'regarding.kind': involved('kind'),
    'regarding.namespace': involved('namespace'),
    'regarding.name': involved('name'),
    'regarding.uid': involved('uid'),
    'regarding.apiVersion': involved('apiVersion'),
    'regarding.fieldPath': involved('fieldPath'),
    reason: (object) => view(object).reason ?? '',
    reportingController: (object) => view(object).reportingComponent ?? '',
    type: (object) => view(object).type ?? '',
  },
}

/** An event lives in the namespace of what it is about; of cluster-wide things in `default`. */
function namespaceFaults(
  { metadata }: KubeObject,
  { namespace = '' }: ObjectReference,
  field: string,
): Faults {
  const own = metadata.namespace ?? ''
  if (namespace === '') {
    const isDefault = own === '' || own === 'default'
    return isDefault ? [] : [invalidValue(`${field}.namespace`, namespace, 'does not match event.namespace')]
  }
  const faults: Faults = []
  if (namespace !== own) {
    faults.push(invalidValue(`${field}.namespace`, namespace, 'does not match event.namespace'))
  }
  return [...faults, ...name('label', 'namespace', own)]
}

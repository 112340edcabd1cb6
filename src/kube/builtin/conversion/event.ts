/** Events of events.k8s.io are those of v1 under other names. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Reshape } from './index.js'

/** [events.k8s.io, v1] */
const NAMES: readonly (readonly [string, string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

function rename(object: KubeObject, from: string, to: string): void {
  if (object[from] === undefined) return
  object[to] = object[from]
  delete object[from]
}

export const newEvent: Reshape = {
  toStorage: (object) => NAMES.forEach(([fresh, old]) => rename(object, fresh, old)),
  fromStorage: (object) => NAMES.forEach(([fresh, old]) => rename(object, old, fresh)),
}

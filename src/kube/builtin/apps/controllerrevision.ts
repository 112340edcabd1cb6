/** apps/v1 ControllerRevision: a snapshot that never changes. */
import { immutable, nonNegative, required } from '../faults.js'
import { type KindRules } from '../rules.js'

const revisionOf = (object: object) => (object as { revision?: number }).revision

export const controllerRevision: KindRules = {
  validate(object) {
    return [
      ...(object['data'] === undefined || object['data'] === null
        ? [required('data', 'data is mandatory')]
        : []),
      ...nonNegative('revision', revisionOf(object)),
    ]
  },
  validateUpdate: (object, previous) => immutable('data', object['data'], previous['data']),
}

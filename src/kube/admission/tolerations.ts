/** DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or cannot be reached. */
import { type Pod } from '../builtin/types.js'
import { type AdmissionPlugin } from '../registry/strategy.js'
import { isAbout } from './refusal.js'

const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const SECONDS = 300

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    const { object, operation } = request
    if (!object || operation === 'DELETE' || !isAbout(request, '', 'pods')) return
    const { spec } = object as Pod
    const given = spec.tolerations ?? []
    const open = KEYS.filter(
      (wanted) =>
        !given.some(
          ({ key = '', effect = '' }) =>
            (key === '' || key === wanted) && (effect === '' || effect === 'NoExecute'),
        ),
    )
    if (open.length === 0) return
    const added = open.map((key) => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: SECONDS,
    }))
    spec.tolerations = [...given, ...added]
  },
}

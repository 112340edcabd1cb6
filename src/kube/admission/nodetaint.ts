/** TaintNodesByCondition: a new node takes no pods until a controller has seen it ready. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type AdmissionPlugin } from '../registry/strategy.js'
import { isAbout } from './refusal.js'

interface Node extends KubeObject {
  spec?: { taints?: { key: string; effect: string; value?: string }[] }
}

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const nodeTaint: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    const node = request.object as Node | undefined
    if (!node || request.operation !== 'CREATE' || !isAbout(request, '', 'nodes')) return
    const spec = (node.spec ??= {})
    const taints = spec.taints ?? []
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return
    spec.taints = [...taints, { ...NOT_READY }]
  },
}

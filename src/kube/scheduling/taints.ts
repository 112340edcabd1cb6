/** Taints of nodes, and the pods that bear them. */
import { type Toleration } from '../builtin/types.js'

export interface Taint {
  key: string
  value?: string
  effect: string
  timeAdded?: string
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Readonly<Taint>): boolean {
  return (tolerations ?? []).some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false
    if (key && key !== taint.key) return false
    if (operator === 'Exists') return true
    return (key ?? '') !== '' && (value ?? '') === (taint.value ?? '')
  })
}

/** The first taint of one of the effects that is not tolerated. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return (taints ?? []).find((taint) => effects.includes(taint.effect) && !tolerates(tolerations, taint))
}

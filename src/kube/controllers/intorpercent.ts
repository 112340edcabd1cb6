/** Numbers that may be given as a share of a whole. */
import { type IntOrString } from '../builtin/types.js'

export function shareOf(value: IntOrString | undefined, whole: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const exact = (Number.parseInt(value, 10) * whole) / 100
  return (round === 'up' ? Math.ceil(exact) : Math.floor(exact)) || 0
}

/** Small texts that many cells are made of, as the server of 1.20 prints them. */
import { formatSelector } from '../../../apimachinery/labels/index.js'
import { type Container, type LabelSelector, type StringMap } from '../types.js'

export const NONE = '<none>'
export const UNSET = '<unset>'
export const UNKNOWN = '<unknown>'

/** `a=1,b=2`, keys sorted. */
export function labelText(labels: StringMap | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? NONE : pairs.map(([key, value]) => `${key}=${value}`).join(',')
}

export function selectorText(selector: LabelSelector | null | undefined): string {
  if (!selector) return NONE
  try {
    return formatSelector(selector) || NONE
  } catch {
    return '<error>'
  }
}

export function containerNames(containers: readonly Container[] | null | undefined): string {
  return (containers ?? []).map(({ name }) => name).join(',')
}

export function containerImages(containers: readonly Container[] | null | undefined): string {
  return (containers ?? []).map(({ image }) => image ?? '').join(',')
}

/** Up to `limit` items and how many more there are. */
export function shortened(items: readonly string[], limit: number, mark = ' + %d more...'): string {
  const shown = items.slice(0, limit).join(',')
  return items.length > limit ? shown + mark.replace('%d', String(items.length - limit)) : shown
}

const MODES: readonly [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
]

/** `RWO,ROX` */
export function accessModes(modes: readonly string[] | undefined): string {
  return MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

/** One line of a watch, decoded with a single JSON.parse of the object inside. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { members } from './bytes.js'

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface WatchEvent {
  type: WatchEventType
  object: KubeObject
  /** The bytes `object` was parsed from; a view of the line. */
  raw: Buffer
}

const USUAL = /^\{"type":"(ADDED|MODIFIED|DELETED|BOOKMARK|ERROR)","object":\{/
const USUAL_LIMIT = 40
const TYPES: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'])

/** @throws Error when the line is not a watch event */
export function decodeWatchEvent(line: Buffer): WatchEvent {
  const usual = USUAL.exec(line.toString('latin1', 0, Math.min(line.length, USUAL_LIMIT)))
  if (usual) {
    const raw = line.subarray(usual[0].length - 1, line.length - 1)
    try {
      return { type: usual[1] as WatchEventType, object: JSON.parse(raw.toString()) as KubeObject, raw }
    } catch {
      // Further members, or blanks at the end: the long way tells whether it is an event at all.
    }
  }
  return decodeAny(line)
}

function decodeAny(line: Buffer): WatchEvent {
  const event = JSON.parse(line.toString()) as { type?: unknown; object?: unknown } | null
  const object = event?.object
  if (typeof event?.type !== 'string' || !TYPES.has(event.type)) throw new Error('not a watch event')
  if (object === null || typeof object !== 'object') throw new Error('a watch event without an object')
  for (const { key, value, end } of members(line)) {
    if (key === 'object') {
      return {
        type: event.type as WatchEventType,
        object: object as KubeObject,
        raw: line.subarray(value, end),
      }
    }
  }
  throw new Error('a watch event without an object')
}

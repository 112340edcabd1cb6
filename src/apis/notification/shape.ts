/** Objects as each version shows them: converted, reduced to one channel, and with the status that clients expect. */
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { toV2beta1, toV2beta2 } from '../../notification/objects/conversion.js'
import { durationOf, goDuration } from '../../notification/objects/duration.js'
import { type NotificationKind, type Version } from './kinds.js'

/**
 * @param channel "" for all
 * @returns a new object; undefined when it has nothing of the channel
 */
export function shown(
  kind: NotificationKind,
  object: Readonly<KubeObject>,
  version: Version,
  channel: string,
): KubeObject | undefined {
  if (kind.type.group === '') return object
  const { kind: _, apiVersion: _ignored, ...rest } = object
  const spec = isObject(object['spec']) ? object['spec'] : {}
  if (!kind.convertible) {
    const resources = kind.unlabelled ? { resources: spec['resources'] ?? {} } : {}
    return { ...rest, spec: { ...withDurations(spec), ...resources }, status: object['status'] ?? {} }
  }
  // A definition that stores the older version serves what it stored.
  const newest = toV2beta2(kind.convertible, spec, spec)
  let visible = version === 'v2beta1' ? toV2beta1(kind.convertible, newest) : newest
  if (channel !== '') {
    if (visible[channel] === undefined) return undefined
    visible = { [channel]: visible[channel] }
  }
  return { ...rest, spec: visible, status: object['status'] ?? {} }
}

/** Durations in the one form that clients of the original know: `1m0s` for what may be stored as `1m`. */
function withDurations(spec: JsonObject): JsonObject {
  const { template } = spec
  return {
    ...spec,
    ...formatted(spec, 'batchMaxWait'),
    ...formatted(spec, 'duration'),
    ...(isObject(template) && { template: { ...template, ...formatted(template, 'reloadCycle') } }),
  }
}

function formatted(from: JsonObject, field: string): JsonObject {
  const text = from[field]
  const milliseconds = typeof text === 'string' ? durationOf(text) : undefined
  return milliseconds === undefined ? {} : { [field]: goDuration(milliseconds) }
}

export function hasChannel(object: Readonly<KubeObject>, channel: string): boolean {
  const spec = object['spec']
  return isObject(spec) && spec[channel] !== undefined && spec[channel] !== null
}

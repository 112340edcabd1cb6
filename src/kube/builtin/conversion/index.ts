/**
 * Between the served versions of a kind: one pair of functions per version that is not the stored one.
 *
 * Functions change the object they are given (it belongs to them) and return it. Versions of one shape
 * differ in `apiVersion` only.
 */
import { apiVersionOf, type GroupVersion, type KubeObject } from '../../../apimachinery/meta/types.js'
import { type ResourceDefinition } from '../../registry/strategy.js'

export type Conversion = NonNullable<ResourceDefinition['convert']>

/** The part of a conversion that is not `apiVersion`. */
export interface Reshape {
  toStorage(object: KubeObject): void
  fromStorage(object: KubeObject): void
}

const SHAPES: Readonly<Record<string, Reshape>> = {}

export function conversionOf(
  served: GroupVersion,
  stored: GroupVersion,
  kind: string,
): Conversion | undefined {
  const [from, to] = [apiVersionOf(served), apiVersionOf(stored)]
  if (from === to) return undefined
  const shape = SHAPES[`${from} ${kind}`]
  return {
    toStorage(object) {
      shape?.toStorage(object)
      object.apiVersion = to
      return object
    },
    fromStorage(object) {
      shape?.fromStorage(object)
      object.apiVersion = from
      return object
    },
  }
}

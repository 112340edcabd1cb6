/**
 * Between the served versions of a kind: one pair of functions per version that is not the stored one.
 *
 * Versions of one shape differ in `apiVersion` only. Where the shapes differ, the result is read as its kind
 * once more, so that it is written as that version writes it.
 */
import { apiVersionOf, type KubeObject } from '../../../apimachinery/meta/types.js'
import { resourceFacts, type ResourceFacts } from '../data.js'
import { storageOf } from '../storage.js'
import { decodeAs } from '../wire/decode.js'
import { autoscalerV1, autoscalerV2beta1 } from './autoscaler.js'
import { definitionV1beta1 } from './customresourcedefinition.js'
import { endpointSliceV1beta1 } from './endpointslice.js'
import { newEvent } from './event.js'
import { ingressV1beta1 } from './ingress.js'

/** A conversion of a registry definition that never waits. */
export interface Conversion {
  /** The object given is left as it is. */
  toStorage(object: Readonly<KubeObject>): KubeObject
  /** The object given is changed. */
  fromStorage(object: KubeObject): KubeObject
}

/** The part of a conversion that is not `apiVersion`. Functions change the object, which is their own. */
export interface Reshape {
  toStorage(object: KubeObject): void
  fromStorage(object: KubeObject): void
}

/** By served version and kind. */
const SHAPES: Readonly<Record<string, Reshape>> = {
  'apiextensions.k8s.io/v1beta1 CustomResourceDefinition': definitionV1beta1,
  'autoscaling/v1 HorizontalPodAutoscaler': autoscalerV1,
  'autoscaling/v2beta1 HorizontalPodAutoscaler': autoscalerV2beta1,
  'discovery.k8s.io/v1beta1 EndpointSlice': endpointSliceV1beta1,
  'events.k8s.io/v1 Event': newEvent,
  'events.k8s.io/v1beta1 Event': newEvent,
  'extensions/v1beta1 Ingress': ingressV1beta1,
  'networking.k8s.io/v1beta1 Ingress': ingressV1beta1,
}

/** @returns undefined for the stored version */
export function conversionOf(facts: ResourceFacts): Conversion | undefined {
  const stored = storageOf(facts)
  const [from, to] = [apiVersionOf(facts), apiVersionOf(stored)]
  if (from === to) return undefined
  const shape = SHAPES[`${from} ${facts.kind}`]
  const storedFacts = resourceFacts().resources.find(
    ({ group, version, name }) => group === stored.group && version === stored.version && name === facts.name,
  )
  if (storedFacts === undefined) throw new Error(`${facts.name} is stored in ${to}, which has no schema`)
  const reread = (definition: string, object: KubeObject): KubeObject =>
    decodeAs(definition, object, { unknown: [], duplicate: [] })
  return {
    toStorage(object) {
      const own: KubeObject = shape ? structuredClone(object) : { ...object }
      own.apiVersion = to
      if (!shape) return own
      shape.toStorage(own)
      return reread(storedFacts.definition, own)
    },
    fromStorage(object) {
      object.apiVersion = from
      if (!shape) return object
      shape.fromStorage(object)
      return reread(facts.definition, object)
    },
  }
}

/** EndpointSlice: v1 gave the topology map of v1beta1 up for `nodeName` and `zone`. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type StringMap } from '../types.js'
import { type Reshape } from './index.js'

interface Endpoint {
  nodeName?: string
  zone?: string
  topology?: StringMap
  deprecatedTopology?: StringMap
}

const NODE = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

const endpointsOf = (object: KubeObject) => (object['endpoints'] ?? []) as Endpoint[]

export const endpointSliceV1beta1: Reshape = {
  toStorage(object) {
    for (const endpoint of endpointsOf(object)) {
      const { [NODE]: node, [ZONE]: zone, ...rest } = endpoint.topology ?? {}
      delete endpoint.topology
      if (node !== undefined) endpoint.nodeName ??= node
      if (zone !== undefined) endpoint.zone = zone
      if (Object.keys(rest).length > 0) endpoint.deprecatedTopology = rest
    }
  },
  fromStorage(object) {
    for (const endpoint of endpointsOf(object)) {
      const topology = {
        ...endpoint.deprecatedTopology,
        ...(endpoint.nodeName !== undefined && { [NODE]: endpoint.nodeName }),
        ...(endpoint.zone !== undefined && { [ZONE]: endpoint.zone }),
      }
      delete endpoint.deprecatedTopology
      delete endpoint.zone
      // The beta of 1.20 tells it by the topology alone.
      delete endpoint.nodeName
      if (Object.keys(topology).length > 0) endpoint.topology = topology
    }
  },
}

/** Where the scale subresource of the workloads reads and writes. */
import { type ScalePaths } from '../registry/strategy.js'

const REPLICAS = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }

/** The pods are told by a label selector in the spec. */
export const SELECTED_SCALE: ScalePaths = { ...REPLICAS, labelSelectorPath: '.spec.selector' }

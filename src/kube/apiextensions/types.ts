/** CustomResourceDefinition of apiextensions.k8s.io/v1, as far as the server reads it. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type JsonSchema } from '../../apimachinery/schema/structural/types.js'
import { type ClientConfig } from '../webhooks/endpoint.js'

export interface PrinterColumn {
  name: string
  type: string
  format?: string
  description?: string
  priority?: number
  jsonPath: string
}

export interface DefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema?: { openAPIV3Schema?: JsonSchema }
  subresources?: {
    status?: object
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  }
  additionalPrinterColumns?: PrinterColumn[]
}

export interface DefinitionNames {
  plural: string
  singular?: string
  kind: string
  listKind?: string
  shortNames?: string[]
  categories?: string[]
}

export interface Condition {
  type: string
  status: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string
    scope: 'Namespaced' | 'Cluster'
    names: DefinitionNames
    versions: DefinitionVersion[]
    preserveUnknownFields?: boolean
    conversion?: {
      strategy: 'None' | 'Webhook'
      webhook?: { clientConfig?: ClientConfig; conversionReviewVersions?: string[] }
    }
  }
  status?: {
    acceptedNames?: DefinitionNames
    conditions?: Condition[]
    storedVersions?: string[]
  }
}

export const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export function conditionOf({ status }: CustomResourceDefinition, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function isTrue(definition: CustomResourceDefinition, type: string): boolean {
  return conditionOf(definition, type)?.status === 'True'
}

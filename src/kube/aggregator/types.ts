/** What the rest of the server sees of API servers that are registered with it. */
import { type KubeObject } from '../../apimachinery/meta/types.js'

/** Who asks other API servers on behalf of callers, by the name on its client certificate. */
export const FRONT_PROXY = 'front-proxy-client'

export interface APIService extends KubeObject {
  spec: {
    group: string
    version: string
    service?: { namespace: string; name: string; port?: number } | null
    caBundle?: string
    insecureSkipTLSVerify?: boolean
    groupPriorityMinimum: number
    versionPriority: number
  }
  status?: { conditions?: ServiceCondition[] }
}

export interface ServiceCondition {
  type: string
  status: string
  reason: string
  message: string
  lastTransitionTime: string
}

/** As `/apis/GROUP/VERSION` lists it. */
export interface DiscoveredResource {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  group?: string
  version?: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}

export interface ForeignVersion {
  group: string
  version: string
  groupPriority: number
  versionPriority: number
  /** Empty until the server has been asked. */
  resources: readonly DiscoveredResource[]
  /** False: those it had when it last answered. */
  isCurrent: boolean
  /** Its OpenAPI document, of version 2. */
  openapi: OpenApi | undefined
}

export interface OpenApi {
  paths?: Record<string, unknown>
  definitions?: Record<string, unknown>
}

/** Group versions that other servers answer for. */
export interface Foreign {
  /** Goes up with every change. */
  readonly revision: number
  /** Groups of higher priority first, and in them versions. */
  versions(): readonly ForeignVersion[]
}

export const NO_FOREIGN: Foreign = { revision: 0, versions: () => [] }

/** What the URL and method of a request mean. The rules are in `requestinfo.ts`. */

export type ResourceScope = 'Global' | 'Cluster' | 'Workspace' | 'Namespace' | 'DevOps' | ''

export interface RequestInfo {
  /** Decoded path as received; never rewritten later. */
  readonly path: string
  /** Kubernetes verb for a resource request, otherwise the HTTP method in upper case. */
  readonly verb: string
  readonly isResourceRequest: boolean
  /** Under `/api` or `/apis`: belongs to the Kubernetes API behind us. */
  readonly isKubernetesRequest: boolean
  readonly apiPrefix: string
  readonly apiGroup: string
  readonly apiVersion: string
  readonly cluster: string
  readonly workspace: string
  readonly namespace: string
  readonly devops: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** What is left of the path from the resource on. */
  readonly parts: readonly string[]
  readonly resourceScope: ResourceScope
  readonly sourceIP: string
  readonly userAgent: string
}

/** The authorizer of a configured mode. Public paths are the authorization filter's business, before any mode. */
import { type Attributes, type Authorizer, type Decision } from './interface.js'

export type AuthorizationMode = 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny'

function fixed(decision: Decision, text: string): Authorizer {
  return { authorize: () => decision, explain: async () => ({ ...decision, explanation: { text } }) }
}

/** @param rbac decides in mode RBAC */
export function authorizerFor(mode: AuthorizationMode, rbac: Authorizer): Authorizer {
  switch (mode) {
    case 'AlwaysAllow':
      return fixed({ allowed: true, reason: '' }, 'authorization mode AlwaysAllow')
    case 'AlwaysDeny':
      return fixed({ allowed: false, reason: 'Everything is forbidden.' }, 'authorization mode AlwaysDeny')
    case 'RBAC':
      return rbac
  }
}

/** The attributes of a request, from what the request-info and authentication filters have found. */
export function attributesOf(info: Omit<Attributes, 'user'>, user: Attributes['user']): Attributes {
  return {
    path: info.path,
    verb: info.verb,
    isResourceRequest: info.isResourceRequest,
    isKubernetesRequest: info.isKubernetesRequest,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    cluster: info.cluster,
    workspace: info.workspace,
    namespace: info.namespace,
    devops: info.devops,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    resourceScope: info.resourceScope,
    user,
  }
}

/**
 * The authorizer of the server: public paths first, then roles; or one of the two fixed modes.
 */
import { type Attributes, type Authorizer, type Decision, type Explanation } from './interface.js'
import { pathMatcher, PUBLIC_PATHS } from './paths.js'

export type AuthorizationMode = 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny'

type Explained = Decision & { explanation: Explanation }

/** Allows the public paths and asks `next` about everything else. */
export function withPublicPaths(next: Authorizer, patterns: readonly string[] = PUBLIC_PATHS): Authorizer {
  const match = pathMatcher(patterns)
  const allowed: Decision = Object.freeze({ allowed: true, reason: '' })
  return {
    authorize: (attributes) => (match(attributes.path) === undefined ? next.authorize(attributes) : allowed),
    async explain(attributes) {
      const rule = match(attributes.path)
      if (rule === undefined) return next.explain(attributes)
      return { ...allowed, explanation: { text: `path ${rule} is open to everybody`, level: 'path', rule } }
    },
  }
}

function fixed(decision: Decision, text: string): Authorizer {
  const explained: Explained = { ...decision, explanation: { text } }
  return { authorize: () => decision, explain: async () => explained }
}

/** @param rbac asked in mode RBAC, about everything but the public paths */
export function authorizerFor(mode: AuthorizationMode, rbac: Authorizer): Authorizer {
  switch (mode) {
    case 'AlwaysAllow':
      return fixed({ allowed: true, reason: '' }, 'authorization mode AlwaysAllow')
    case 'AlwaysDeny':
      return fixed({ allowed: false, reason: 'Everything is forbidden.' }, 'authorization mode AlwaysDeny')
    case 'RBAC':
      return withPublicPaths(rbac)
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

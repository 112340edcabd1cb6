/** What an authorizer is asked, and what it answers. */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type RequestInfo } from '../serving/requestinfo.types.js'

/** The attributes of one request; the same names as in RequestInfo. */
export interface Attributes extends Pick<
  RequestInfo,
  | 'path'
  | 'verb'
  | 'isResourceRequest'
  | 'isKubernetesRequest'
  | 'apiGroup'
  | 'apiVersion'
  | 'cluster'
  | 'workspace'
  | 'namespace'
  | 'devops'
  | 'resource'
  | 'subresource'
  | 'name'
  | 'resourceScope'
> {
  user: UserInfo
}

/** Which rule of which role, through which binding, allowed a request; or what was looked at in vain. */
export interface Explanation {
  /** One line for people: `GlobalRoleBinding "admin" of GlobalRole "platform-admin" to User "admin"`. */
  text: string
  level?: 'path' | 'global' | 'cluster' | 'workspace' | 'namespace' | 'devops'
  binding?: { kind: string; name: string; namespace?: string }
  role?: { kind: string; name: string; namespace?: string }
  /** The PolicyRule that matched, as in the role, or the name of a built-in rule. */
  rule?: unknown
  /** For a refusal: bindings that applied to the user but had no matching rule. */
  considered?: { binding: string; role: string }[]
}

export interface Decision {
  allowed: boolean
  /** Appended to the 403 message after `: ` when not empty. */
  reason: string
}

export interface Authorizer {
  /** The hot path: no allocation beyond the decision. */
  authorize(attributes: Attributes): Decision | Promise<Decision>
  /** The same decision with its grounds; may be slow. */
  explain(attributes: Attributes): Promise<Decision & { explanation: Explanation }>
}

/**
 * Somebody who has proved an identity and has no user yet. The stock role lets such callers also list users, here and
 * at the Kubernetes API, which registering does not need.
 */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { PRE_REGISTRATION } from '../authentication/tokens/claims.js'
import { type Attributes } from './interface.js'

export function isRegistering({ name }: UserInfo): boolean {
  return name === PRE_REGISTRATION
}

/** The one request they may make, if their role says so. */
export function isRegistration({
  verb,
  apiGroup,
  resource,
  subresource,
  isKubernetesRequest,
}: Attributes): boolean {
  const isCreation = verb === 'create' && resource === 'users' && subresource === ''
  return isCreation && apiGroup === 'iam.kubesphere.io' && !isKubernetesRequest
}

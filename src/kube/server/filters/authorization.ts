/** Asks the authorizer before anything is looked up: what may not be seen is 403, existing or not. */
import { forbidden, StatusError } from '../../../apimachinery/errors/index.js'
import { type Done, type Filter } from '../chain.js'
import { type Exchange } from '../exchange.js'
import { type AuthorizationAttributes, type Authorize, type Decision } from '../interfaces.js'

export function attributesOf(exchange: Exchange): AuthorizationAttributes {
  const { requestInfo: info, user } = exchange
  return {
    user,
    verb: info.verb,
    resourceRequest: info.resourceRequest,
    path: info.path,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    namespace: info.namespace,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
  }
}

/** `User "bob" cannot get resource "pods" in API group "" in the namespace "default"` */
export function decisionText(attributes: AuthorizationAttributes, reason: string): string {
  const { user, verb, resource, subresource, apiGroup, namespace } = attributes
  const what = subresource === '' ? resource : `${resource}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const text = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(apiGroup)} ${where}`
  return reason === '' ? text : `${text}: ${reason}`
}

function refusal(attributes: AuthorizationAttributes, reason: string): StatusError {
  const { user, verb, path, resourceRequest, apiGroup: group, resource, name } = attributes
  if (resourceRequest) return forbidden({ group, resource }, name, decisionText(attributes, reason))
  const text = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: reason === '' ? text : `${text}: ${reason}`,
    details: {},
  })
}

export function authorizationFilter(authorize: Authorize): Filter {
  return {
    name: 'authorization',
    handle(exchange, next) {
      const attributes = attributesOf(exchange)
      const goOn = ({ allowed, reason }: Decision): Done => {
        if (!allowed) throw refusal(attributes, reason)
        return next()
      }
      const decision = authorize(attributes)
      return decision instanceof Promise ? decision.then(goOn) : goOn(decision)
    },
  }
}

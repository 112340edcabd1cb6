/**
 * The log of who changed whose access: every write of users, roles, members, workspaces and what else decides who
 * may do what, whichever API it came by, with its outcome. One line each, whatever is configured to receive audit
 * events.
 */
import { isObject } from '../apimachinery/json/index.js'
import { type AuditEvent, type AuditSink } from './audit.js'
import { type AuditOptions } from './filters/audit.js'
import { type Logger } from './log.js'
import { type RequestInfo } from './requestinfo.types.js'

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
const GROUPS = new Set([
  'iam.kubesphere.io',
  'tenant.kubesphere.io',
  'rbac.authorization.k8s.io',
  'quota.kubesphere.io',
  'cluster.kubesphere.io',
  'certificates.k8s.io',
  'types.kubefed.io',
])
const CORE = new Set(['namespaces', 'serviceaccounts'])
/** Enough for the members of one call. */
const LISTED = 20

export function accessLog(logger: Logger): AuditOptions {
  return {
    sink: accessLogSink(logger),
    level: (info) => (changesAccess(info) ? 'Request' : 'None'),
    kubernetesAudited: () => false,
  }
}

function changesAccess({ verb, isResourceRequest, apiGroup, resource }: RequestInfo): boolean {
  if (!WRITES.has(verb) || !isResourceRequest) return false
  return GROUPS.has(apiGroup) || (apiGroup === '' && CORE.has(resource))
}

function accessLogSink(logger: Logger): AuditSink {
  return {
    accept(made) {
      const event = made()
      const { ObjectRef, ResponseStatus, User, SourceIPs } = event
      const fields = {
        user: User.username,
        verb: event.Verb,
        group: ObjectRef.APIGroup,
        resource: ObjectRef.Subresource
          ? `${ObjectRef.Resource}/${ObjectRef.Subresource}`
          : ObjectRef.Resource,
        ...named('workspace', event.Workspace),
        ...named('devops', event.Devops),
        ...named('namespace', ObjectRef.Namespace),
        ...named('name', ObjectRef.Name),
        ...given(event),
        status: ResponseStatus.code,
        ip: SourceIPs[0],
        requestId: event.AuditID,
      }
      logger.info(fields, ResponseStatus.code < 400 ? 'access changed' : 'change of access refused')
    },
  }
}

function named(key: string, value: string): object {
  return value === '' ? {} : { [key]: value }
}

/** Who was given what, as far as the body says so in one of the usual ways. */
function given({ RequestObject: body }: AuditEvent): object {
  const items = (Array.isArray(body) ? body : [body]).filter(isObject).slice(0, LISTED)
  const users = items.flatMap((item) => [
    ...texts([item['username']]),
    ...texts(Array.isArray(item['users']) ? item['users'] : []),
    ...(Array.isArray(item['subjects']) ? item['subjects'] : [])
      .filter(isObject)
      .flatMap((subject) => texts([subject['name']])),
  ])
  const roles = items.flatMap(({ roleRef }) => texts([isObject(roleRef) ? roleRef['name'] : roleRef]))
  return {
    ...(users.length > 0 && { users: users.slice(0, LISTED) }),
    ...(roles.length > 0 && { roles: [...new Set(roles)] }),
  }
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '')
}

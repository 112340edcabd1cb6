/**
 * authorization.k8s.io: what may somebody do?
 *
 * The three access reviews ask the authorizer one question; the rules review lists what counts for the
 * asking user in a namespace.
 */
import { badRequest, type FieldFault, invalid, StatusError } from '../../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'
import { type RequestContext } from '../registry/strategy.js'
import { type AuthorizationAttributes, type Authorize } from '../server/interfaces.js'
import { MASTERS, type Rbac } from './rbac.js'
import { type PolicyRule } from './rules.js'

export type Review = (object: KubeObject, context: RequestContext, namespace: string) => Promise<KubeObject>

interface ResourceAttributes {
  namespace?: string
  verb?: string
  group?: string
  version?: string
  resource?: string
  subresource?: string
  name?: string
}

interface AccessSpec {
  resourceAttributes?: ResourceAttributes
  nonResourceAttributes?: { path?: string; verb?: string }
  user?: string
  groups?: string[]
  /** v1beta1. */
  group?: string[]
  extra?: Record<string, string[]>
  uid?: string
}

const GROUP = 'authorization.k8s.io'

/** By resource. */
export function authorizationReviews(authorize: Authorize, rbac: Rbac): Readonly<Record<string, Review>> {
  const access = async (object: KubeObject, spec: AccessSpec, user: UserInfo): Promise<KubeObject> => {
    const { allowed, reason } = await authorize(attributesOf(spec, user))
    return answered(object, { allowed, ...(reason !== '' && { reason }) })
  }
  return {
    async selfsubjectaccessreviews(object, context) {
      const spec = specOf(object)
      refuse(attributeFaults(spec), 'SelfSubjectAccessReview')
      return access(object, spec, context.user)
    },
    async subjectaccessreviews(object) {
      const spec = specOf(object)
      refuse([...subjectFaults(spec), ...attributeFaults(spec)], '')
      return access(object, spec, userOf(spec))
    },
    async localsubjectaccessreviews(object, _context, namespace) {
      const spec = specOf(object)
      const faults = [...subjectFaults(spec), ...attributeFaults(spec)]
      refuse(faults, '')
      if (spec.resourceAttributes?.namespace !== namespace) {
        throw badRequest(
          `spec.resourceAttributes.namespace must match namespace: ${spec.resourceAttributes?.namespace ?? ''}`,
        )
      }
      return access(object, spec, userOf(spec))
    },
    async selfsubjectrulesreviews(object, context) {
      const { namespace } = (object.spec ?? {}) as { namespace?: string }
      if (!namespace) throw badRequest('no namespace on request')
      const rules = rulesFor(rbac, context.user, namespace)
      return {
        ...object,
        metadata: { ...object.metadata, creationTimestamp: null },
        spec: {},
        status: {
          resourceRules: rules.filter((rule) => rule.resources?.length).map(resourceRule),
          nonResourceRules: rules.filter((rule) => rule.nonResourceURLs?.length).map(pathRule),
          incomplete: false,
        },
      }
    },
  }
}

const resourceRule = ({ verbs, apiGroups, resources, resourceNames }: PolicyRule): object => ({
  verbs,
  apiGroups,
  resources,
  ...(resourceNames?.length && { resourceNames }),
})

const pathRule = ({ verbs, nonResourceURLs }: PolicyRule): object => ({ verbs, nonResourceURLs })

function rulesFor(rbac: Rbac, user: UserInfo, namespace: string): PolicyRule[] {
  const rules = rbac.rulesOf(user, namespace)
  if (!user.groups.includes(MASTERS)) return rules
  const all: PolicyRule[] = [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ]
  const isAll = (rule: PolicyRule): boolean =>
    rule.verbs?.[0] === '*' && (rule.apiGroups?.[0] === '*' || rule.nonResourceURLs?.[0] === '*')
  return [...rules.filter((rule) => !isAll(rule)), ...all]
}

function specOf(object: KubeObject): AccessSpec {
  return object.spec ?? {}
}

function userOf(spec: AccessSpec): UserInfo {
  return {
    name: spec.user ?? '',
    groups: spec.groups ?? spec.group ?? [],
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.extra && { extra: spec.extra }),
  }
}

function attributesOf(spec: AccessSpec, user: UserInfo): AuthorizationAttributes {
  const resource = spec.resourceAttributes
  return {
    user,
    verb: resource?.verb ?? spec.nonResourceAttributes?.verb ?? '',
    resourceRequest: resource !== undefined,
    path: spec.nonResourceAttributes?.path ?? '',
    apiGroup: resource?.group ?? '',
    apiVersion: resource?.version ?? '*',
    namespace: resource?.namespace ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    name: resource?.name ?? '',
  }
}

function subjectFaults(spec: AccessSpec): FieldFault[] {
  if (spec.user || (spec.groups ?? spec.group)?.length) return []
  return [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.user',
      message: 'Invalid value: "": at least one of user or group must be specified',
    },
  ]
}

function attributeFaults(spec: AccessSpec): FieldFault[] {
  const both = spec.resourceAttributes !== undefined && spec.nonResourceAttributes !== undefined
  const neither = spec.resourceAttributes === undefined && spec.nonResourceAttributes === undefined
  if (!both && !neither) return []
  return [
    {
      reason: 'FieldValueInvalid',
      field: both ? 'spec.nonResourceAttributes' : 'spec.resourceAttributes',
      message: `Invalid value: ${both ? 'spec' : 'null'}: ${
        both
          ? 'cannot be specified in combination with resourceAttributes'
          : 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
      }`,
    },
  ]
}

/** The genuine server names no kind here, only the group. @throws StatusError 422 */
function refuse(faults: FieldFault[], kind: string): void {
  if (faults.length === 0) return
  const error = invalid({ group: GROUP, kind }, '', faults)
  const { kind: _kind, ...details } = error.details ?? {}
  throw new StatusError({
    code: error.code,
    reason: error.reason,
    message: error.message,
    details: kind === '' ? details : { ...details, kind },
  })
}

function answered(object: KubeObject, status: object): KubeObject {
  return { ...object, metadata: { ...object.metadata, creationTimestamp: null }, status }
}

/** authentication.k8s.io: is a token good (TokenReview), and a new one for a ServiceAccount (TokenRequest). */
import { type FieldFault, forbidden, invalid, notFound } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Objects } from '../objects.js'
import { wireTime } from '../registry/clock.js'
import { type RequestContext, type SubresourceDefinition } from '../registry/strategy.js'
import { type TokenAuthenticator } from './index.js'
import { type BoundClaims, type ServiceAccountTokens } from './serviceaccounts.js'

export function tokenReview(authenticate: TokenAuthenticator) {
  return async (object: KubeObject): Promise<KubeObject> => {
    const { token = '', audiences } = (object.spec ?? {}) as { token?: string; audiences?: string[] }
    const found = token === '' ? undefined : authenticate(token, audiences?.length ? audiences : undefined)
    const status = found
      ? {
          authenticated: true,
          user: {
            username: found.user.name,
            ...(found.user.uid !== undefined && { uid: found.user.uid }),
            groups: found.user.groups,
            ...(found.user.extra && { extra: found.user.extra }),
          },
          ...(audiences?.length && { audiences: found.audiences }),
        }
      : { user: {}, ...(token !== '' && { error: 'invalid bearer token' }) }
    return { ...object, metadata: { ...object.metadata, creationTimestamp: null }, status }
  }
}

interface TokenRequestSpec {
  audiences?: string[] | null
  expirationSeconds?: number
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } | null
}

const DEFAULT_SECONDS = 3600
const MIN_SECONDS = 600
/** 2^32, as the genuine server. */
const MAX_SECONDS = 4294967296

export function tokenRequest(
  tokens: ServiceAccountTokens,
  objects: Objects,
): NonNullable<SubresourceDefinition['create']> {
  return async (parent, body, where, context) => {
    if (!parent) throw notFound({ group: '', resource: 'serviceaccounts' }, where.name)
    const spec = (body.spec ?? {}) as TokenRequestSpec
    const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS
    const faults = expirationFaults(seconds)
    if (faults.length > 0) {
      throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', faults)
    }
    const audiences = spec.audiences?.length ? spec.audiences : [...tokens.audiences]
    const claims: BoundClaims = {
      namespace: where.namespace,
      ...boundTo(objects, where, spec, context),
      serviceaccount: { name: where.name, uid: parent.metadata.uid ?? '' },
    }
    const { token, expires } = tokens.bound(claims, audiences, seconds)
    return {
      ...body,
      metadata: {
        ...body.metadata,
        name: where.name,
        namespace: where.namespace,
        creationTimestamp: wireTime(context.now.getTime()),
      },
      spec: {
        audiences,
        expirationSeconds: seconds,
        boundObjectRef: spec.boundObjectRef ?? null,
      },
      status: { token, expirationTimestamp: wireTime(expires.getTime()) },
    }
  }
}

function expirationFaults(seconds: number): FieldFault[] {
  const fault = (why: string): FieldFault[] => [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.expirationSeconds',
      message: `Invalid value: ${seconds}: ${why}`,
    },
  ]
  if (seconds < MIN_SECONDS) return fault('may not specify a duration less than 10 minutes')
  if (seconds > MAX_SECONDS) return fault('may not specify a duration larger than 2^32 seconds')
  return []
}

function boundTo(
  objects: Objects,
  where: { namespace: string; name: string },
  { boundObjectRef: ref }: TokenRequestSpec,
  _context: RequestContext,
): Pick<BoundClaims, 'pod' | 'secret'> {
  if (!ref) return {}
  const kind = ref.kind ?? ''
  if ((kind !== 'Pod' && kind !== 'Secret') || ref.apiVersion !== 'v1') {
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      {
        reason: 'FieldValueNotSupported',
        field: 'spec.boundObjectRef.kind',
        message: `Unsupported value: ${JSON.stringify(kind)}: supported values: "Pod", "Secret"`,
      },
    ])
  }
  const resource = kind === 'Pod' ? 'pods' : 'secrets'
  const name = ref.name ?? ''
  const object = objects.get('', resource, where.namespace, name)
  if (!object) throw notFound({ group: '', resource }, name)
  const uid = object.metadata.uid ?? ''
  if (ref.uid && ref.uid !== uid) {
    throw forbidden(
      { group: '', resource },
      name,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record (${uid})`,
    )
  }
  if (kind === 'Secret') return { secret: { name, uid } }
  const account = (object.spec as { serviceAccountName?: string } | undefined)?.serviceAccountName ?? ''
  if (account !== where.name) {
    throw forbidden(
      { group: '', resource: 'serviceaccounts' },
      where.name,
      `cannot bind token for serviceaccount ${JSON.stringify(where.name)} to pod running with different serviceaccount name.`,
    )
  }
  return { pod: { name, uid } }
}

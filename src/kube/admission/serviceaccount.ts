/**
 * ServiceAccount: a pod runs as one, `default` unless it says otherwise, and finds that account's token mounted.
 *
 * Tokens are the Secrets of Kubernetes 1.20. Accounts and tokens are made by controllers; a pod that comes right
 * behind its namespace waits for them for a moment.
 */
import { StatusError } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { containersOf } from '../builtin/pods/defaults.js'
import { type Pod } from '../builtin/types.js'
import { type Objects, prefixOf } from '../objects.js'
import { type AdmissionPlugin, type AdmissionRequest, type RequestContext } from '../registry/strategy.js'
import { isAbout, refusal } from './refusal.js'

interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[]
  imagePullSecrets?: { name?: string }[]
  automountServiceAccountToken?: boolean
}

const MIRROR = 'kubernetes.io/config.mirror'
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets'
const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const PATIENCE_MS = 1000

export function serviceAccount(objects: Objects): AdmissionPlugin {
  const concerns = (request: AdmissionRequest): boolean =>
    request.operation === 'CREATE' && isAbout(request, '', 'pods')
  async function complete(request: AdmissionRequest, pod: Pod): Promise<void> {
    const name = pod.spec.serviceAccountName || 'default'
    pod.spec.serviceAccountName = pod.spec.serviceAccount = name
    const account = await waitFor(objects, request, name)
    if (automounts(account, pod)) await mountToken(objects, request, account, pod)
    if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      pod.spec.imagePullSecrets = account.imagePullSecrets.map((each) => ({ ...each }))
    }
  }
  return {
    name: 'ServiceAccount',
    admit(request) {
      const pod = request.object as Pod | undefined
      return pod && concerns(request) && !isMirror(pod) ? complete(request, pod) : undefined
    },
    validate(request) {
      const pod = request.object as Pod | undefined
      if (!pod || !concerns(request)) return
      if (isMirror(pod)) {
        const why = mirrorFault(pod)
        if (why !== undefined) throw refusal(request, why)
        return
      }
      const name = pod.spec.serviceAccountName ?? ''
      const account = objects.shared<ServiceAccount>('', 'serviceaccounts', request.namespace, name)
      if (account?.metadata.annotations?.[ENFORCE] !== 'true') return
      const why = secretFault(pod, account)
      if (why !== undefined) throw refusal(request, why)
    },
  }
}

const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.[MIRROR] !== undefined

/** A mirror pod shows what a node runs by itself: nobody gave that an account. */
function mirrorFault({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts'
  const projects = (spec.volumes ?? []).some(({ projected }) =>
    projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  )
  return projects ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined
}

function automounts(account: ServiceAccount, { spec }: Pod): boolean {
  return spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
}

/** @throws StatusError 403 when the account does not come */
async function waitFor(objects: Objects, request: AdmissionRequest, name: string): Promise<ServiceAccount> {
  const { namespace, context } = request
  const read = (): ServiceAccount | undefined => {
    const account = objects.shared<ServiceAccount>('', 'serviceaccounts', namespace, name)
    return account?.metadata.deletionTimestamp ? undefined : account
  }
  const account = await settled(objects, namespace, read, context)
  if (account) return account
  const missing = `serviceaccount ${JSON.stringify(name)} not found`
  throw refusal(request, `error looking up service account ${namespace}/${name}: ${missing}`)
}

/** Reads now, and again with every change of the namespace's accounts until there is something or time is up. */
function settled<T>(
  objects: Objects,
  namespace: string,
  read: () => T | undefined,
  context: RequestContext,
): Promise<T | undefined> {
  const now = read()
  if (now !== undefined) return Promise.resolve(now)
  const signal = context.caller?.signal
  return new Promise((resolve) => {
    const end = (found: T | undefined): void => {
      clearTimeout(timer)
      stop()
      signal?.removeEventListener('abort', giveUp)
      resolve(found)
    }
    const giveUp = (): void => end(undefined)
    const timer = setTimeout(giveUp, PATIENCE_MS)
    const stop = objects.onChange(`${prefixOf('', 'serviceaccounts')}/${namespace}/`, () => {
      const found = read()
      if (found !== undefined) end(found)
    })
    signal?.addEventListener('abort', giveUp)
  })
}

/** @throws StatusError 500 with a time to come back when the account has no token yet */
async function mountToken(
  objects: Objects,
  request: AdmissionRequest,
  { metadata }: ServiceAccount,
  pod: Pod,
): Promise<void> {
  const open = containersOf(pod.spec).filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ mountPath }) => mountPath === MOUNT_PATH),
  )
  if (open.length === 0) return
  const { namespace, context } = request
  const name = metadata.name ?? ''
  const read = (): string | undefined => tokenOf(objects, namespace, name)
  const secretName = await settled(objects, namespace, read, context)
  if (secretName === undefined) throw noToken(name)
  const volumes = (pod.spec.volumes ??= [])
  const volume = volumes.find(({ secret }) => secret?.secretName === secretName)?.name ?? secretName
  for (const container of open) {
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name: volume, readOnly: true, mountPath: MOUNT_PATH },
    ]
  }
  if (!volumes.some((each) => each.name === volume)) volumes.push({ name: volume, secret: { secretName } })
}

function tokenOf(objects: Objects, namespace: string, name: string): string | undefined {
  const account = objects.shared<ServiceAccount>('', 'serviceaccounts', namespace, name)
  return account?.secrets?.find((reference) => {
    const secret = objects.shared('', 'secrets', namespace, reference.name ?? '')
    return (
      secret?.['type'] === TOKEN_TYPE && secret.metadata.annotations?.[ACCOUNT_UID] === account.metadata.uid
    )
  })?.name
}

function noToken(account: string): StatusError {
  return new StatusError({
    code: 500,
    reason: 'ServerTimeout',
    message: `No API token found for service account ${JSON.stringify(account)}, retry after the token is automatically created and added to the service account`,
    details: { name: 'create pod', kind: 'serviceaccounts', retryAfterSeconds: 1 },
  })
}

/** Accounts may be bound to their own secrets. */
function secretFault({ spec }: Pod, account: ServiceAccount): string | undefined {
  const name = account.metadata.name ?? ''
  const mountable = new Set((account.secrets ?? []).map((each) => each.name))
  const elsewhere = `is not allowed because service account ${name} does not reference that secret`
  for (const { secret } of spec.volumes ?? []) {
    if (!secret || mountable.has(secret.secretName)) continue
    return `volume with secret.secretName="${secret.secretName ?? ''}" ${elsewhere}`
  }
  for (const container of containersOf(spec)) {
    for (const { name: variable, valueFrom } of container.env ?? []) {
      const reference = valueFrom?.secretKeyRef
      if (!reference || mountable.has(reference.name)) continue
      return `container ${container.name} with envVar ${variable} referencing secret.secretName="${reference.name ?? ''}" ${elsewhere}`
    }
  }
  const pullable = new Set((account.imagePullSecrets ?? []).map((each) => each.name))
  const at = (spec.imagePullSecrets ?? []).findIndex((each) => !pullable.has(each.name))
  if (at < 0) return undefined
  return `imagePullSecrets[${at}].name="${spec.imagePullSecrets?.[at]?.name ?? ''}" is not allowed because service account ${name} does not reference that imagePullSecret`
}

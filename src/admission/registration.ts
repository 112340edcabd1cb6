/**
 * Registers the webhooks with a cluster, under the names of the original, and keeps the registration as it should be:
 * where they are reached, and whom to trust.
 */
import { isAlreadyExists, isConflict, isNotFound } from '../apimachinery/errors/index.js'
import { isMutating, type Webhook } from '../apimachinery/admission/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type ResourceClient, type RestClient } from '../client/rest.js'

/** How the API server reaches this process: by a Service of the cluster, or by address. */
export type Reachable = { service: { namespace: string; name: string; port: number } } | { url: string }

interface Configuration extends KubeObject {
  webhooks?: object[]
}

export async function register(
  client: RestClient,
  webhooks: readonly Webhook[],
  reachable: Reachable,
  ca: string,
  signal: AbortSignal,
): Promise<void> {
  const configurationsOf = (kind: string): ResourceClient<Configuration> =>
    client.resource<Configuration>({
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      resource: `${kind.toLowerCase()}s`,
      kind,
    })
  const validating = configurationsOf('ValidatingWebhookConfiguration')
  const mutating = configurationsOf('MutatingWebhookConfiguration')
  for (const webhook of webhooks) {
    const configurations = isMutating(webhook) ? mutating : validating
    const wanted = [registrationOf(webhook, reachable, ca)]
    for (;;) {
      try {
        const found = await configurations.get(webhook.name, { signal }).catch((error: unknown) => {
          if (isNotFound(error)) return undefined
          throw error
        })
        if (!found)
          await configurations.create({ metadata: { name: webhook.name }, webhooks: wanted }, { signal })
        else if (!isSame(found.webhooks, wanted)) {
          await configurations.update({ ...found, webhooks: wanted }, { signal })
        }
        break
      } catch (error) {
        if (!isAlreadyExists(error) && !isConflict(error)) throw error
      }
    }
  }
}

function registrationOf(
  { name, path, rules, failurePolicy, sideEffects = 'None' }: Webhook,
  reachable: Reachable,
  ca: string,
): object {
  const caBundle = Buffer.from(ca).toString('base64')
  return {
    name,
    admissionReviewVersions: ['v1', 'v1beta1'],
    clientConfig:
      'url' in reachable
        ? { url: reachable.url + path, caBundle }
        : { service: { ...reachable.service, path }, caBundle },
    failurePolicy,
    matchPolicy: 'Exact',
    namespaceSelector: { matchExpressions: [{ key: 'control-plane', operator: 'DoesNotExist' }] },
    objectSelector: {},
    rules: rules.map(({ group, version, resources, operations }) => ({
      apiGroups: [group],
      apiVersions: [version],
      operations,
      resources,
      scope: '*',
    })),
    sideEffects,
    timeoutSeconds: 30,
  }
}

/** The server may have filled in more than was sent, and orders keys as it likes. */
function isSame(stored: readonly object[] | undefined, wanted: readonly object[]): boolean {
  return stored?.length === wanted.length && wanted.every((item, position) => holds(stored[position], item))
}

function holds(stored: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object') return stored === wanted
  if (stored === null || typeof stored !== 'object') return false
  if (Array.isArray(wanted) && (stored as unknown[]).length !== wanted.length) return false
  return Object.entries(wanted).every(([key, value]) =>
    holds((stored as Record<string, unknown>)[key], value),
  )
}

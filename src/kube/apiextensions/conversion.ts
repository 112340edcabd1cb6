/**
 * Conversion between the versions of a custom resource by a webhook, `spec.conversion.strategy: Webhook`.
 *
 * What is asked for at one moment, such as the items of a list, goes into one ConversionReview. The webhook may change
 * everything but the identity of an object: of its metadata, only labels and annotations.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { internal } from '../../apimachinery/errors/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Objects } from '../objects.js'
import { endpointOf } from '../webhooks/endpoint.js'
import { post } from '../webhooks/post.js'
import { type CustomResourceDefinition } from './types.js'

const SECONDS = 30
/** Objects in one call. */
const BATCH = 500
const VERSIONS = ['v1', 'v1beta1']

interface Waiting {
  object: Readonly<KubeObject>
  resolve: (converted: KubeObject) => void
  reject: (error: unknown) => void
}

export class ConversionWebhook {
  readonly #waiting = new Map<string, Waiting[]>()

  constructor(
    private readonly objects: Objects,
    private readonly definition: CustomResourceDefinition,
  ) {}

  /** @throws StatusError 500 when the webhook does not do it */
  convert(object: Readonly<KubeObject>, apiVersion: string): Promise<KubeObject> {
    return new Promise((resolve, reject) => {
      const asked = { object, resolve, reject }
      const others = this.#waiting.get(apiVersion)
      if (others) others.push(asked)
      else {
        this.#waiting.set(apiVersion, [asked])
        void this.#flush(apiVersion)
      }
    })
  }

  async #flush(apiVersion: string): Promise<void> {
    await setImmediate() // Whoever asks in the same breath comes along.
    const all = this.#waiting.get(apiVersion) ?? []
    this.#waiting.delete(apiVersion)
    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH)
      try {
        const converted = await this.#ask(
          batch.map(({ object }) => object),
          apiVersion,
        )
        batch.forEach(({ object, resolve }, i) => resolve(sameObject(object, converted[i] as KubeObject)))
      } catch (error) {
        const { kind } = this.definition.spec.names
        const why = `conversion webhook for ${apiVersion}, Kind=${kind} failed: ${(error as Error).message}`
        for (const { reject } of batch) reject(internal(why, { cause: error }))
      }
    }
  }

  /** @throws Error that says what went wrong */
  async #ask(objects: readonly Readonly<KubeObject>[], desiredAPIVersion: string): Promise<unknown[]> {
    const { clientConfig, conversionReviewVersions = [] } = this.definition.spec.conversion?.webhook ?? {}
    if (!clientConfig) throw new Error('no webhook is named')
    const version = conversionReviewVersions.find((each) => VERSIONS.includes(each))
    if (version === undefined)
      throw new Error('the webhook accepts no version of ConversionReview known here')
    const uid = randomUUID()
    const apiVersion = `apiextensions.k8s.io/${version}`
    const request = { uid, desiredAPIVersion, objects }
    const body = JSON.stringify({ kind: 'ConversionReview', apiVersion, request })
    const endpoint = endpointOf(this.objects, clientConfig)
    endpoint.url.searchParams.set('timeout', `${SECONDS}s`)
    return convertedIn(await post(endpoint, clientConfig, body, SECONDS, undefined), uid, request)
  }
}

interface Response {
  uid?: string
  result?: { status?: string; message?: string }
  convertedObjects?: (Partial<KubeObject> | null)[]
}

function convertedIn(
  text: string,
  uid: string,
  { objects, desiredAPIVersion }: { objects: readonly Readonly<KubeObject>[]; desiredAPIVersion: string },
): unknown[] {
  const { response } = (JSON.parse(text) ?? {}) as { response?: Response | null }
  if (!response) throw new Error('the webhook gave no response')
  if (response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (response.result?.status !== 'Success')
    throw new Error(response.result?.message ?? 'the webhook did not succeed')
  const converted = response.convertedObjects ?? []
  if (converted.length !== objects.length) {
    throw new Error(`webhook returned ${converted.length} objects, expected ${objects.length}`)
  }
  for (const [i, object] of converted.entries()) {
    if (object?.apiVersion !== desiredAPIVersion || object.kind !== objects[i]?.kind) {
      throw new Error(`object at index ${i} is not of ${desiredAPIVersion} or of another kind`)
    }
    if (object.metadata?.name !== objects[i]?.metadata.name) {
      throw new Error(`object at index ${i} has another name`)
    }
  }
  return converted
}

function sameObject({ metadata }: Readonly<KubeObject>, converted: KubeObject): KubeObject {
  const { labels, annotations } = converted.metadata
  const { labels: _labels, annotations: _annotations, ...identity } = metadata
  return {
    ...converted,
    metadata: { ...identity, ...(labels && { labels }), ...(annotations && { annotations }) },
  }
}

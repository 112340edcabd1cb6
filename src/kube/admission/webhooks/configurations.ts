/** The registered webhooks, followed as they change: asking nobody costs a request nothing. */
import {
  type LabelSelector,
  type Selector,
  selectorFromLabelSelector,
} from '../../../apimachinery/labels/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Objects } from '../../objects.js'
import { type ClientConfig } from '../../webhooks/endpoint.js'

export interface Rule {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  resources?: string[]
  scope?: string
}

interface WrittenWebhook {
  name: string
  clientConfig: ClientConfig
  rules?: Rule[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  reinvocationPolicy?: string
}

interface Configuration extends KubeObject {
  webhooks?: WrittenWebhook[]
}

export interface Webhook extends Omit<WrittenWebhook, 'namespaceSelector' | 'objectSelector' | 'rules'> {
  rules: readonly Rule[]
  namespaceSelector: Selector
  objectSelector: Selector
  sideEffects: string
}

export type WebhookKind = 'mutating' | 'validating'

export class WebhookConfigurations {
  readonly #byKey = new Map<string, Webhook[]>()
  #all: Webhook[] | undefined
  readonly #stop: () => void

  constructor(objects: Objects, kind: WebhookKind) {
    const resource = `${kind}webhookconfigurations`
    this.#stop = objects.follow('admissionregistration.k8s.io', resource, ({ key, object }) => {
      if (object) this.#byKey.set(key, compiled(object))
      else this.#byKey.delete(key)
      this.#all = undefined
    })
  }

  /** By name of the configuration, then in its order. */
  get all(): readonly Webhook[] {
    return (this.#all ??= [...this.#byKey]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, webhooks]) => webhooks))
  }

  close(): void {
    this.#stop()
  }
}

function compiled({ webhooks = [] }: Configuration): Webhook[] {
  return webhooks.map((webhook) => ({
    ...webhook,
    rules: webhook.rules ?? [],
    namespaceSelector: selectorFromLabelSelector(webhook.namespaceSelector ?? {}),
    objectSelector: selectorFromLabelSelector(webhook.objectSelector ?? {}),
    sideEffects: webhook.sideEffects ?? 'Unknown',
  }))
}

/** The objects of notification.kubesphere.io/v2beta2, as far as they are read here. Stored objects may lack anything. */
import { type KubeObject, type ObjectMeta } from '../../apimachinery/meta/types.js'
import { type LabelSelector } from '../../apimachinery/labels/index.js'

export interface SecretKeyRef {
  namespace?: string
  name: string
  key: string
}

export interface Credential {
  value?: string
  valueFrom?: { secretKeyRef?: SecretKeyRef }
}

/** Without a key: all keys. */
export interface ConfigMapKeyRef {
  namespace?: string
  name: string
  key?: string
}

export interface AlertSelectorExpression {
  key: string
  operator: string
  values?: readonly string[]
  /** For `Match`: an unanchored expression. */
  regexValue?: string
}

export interface AlertSelector {
  matchLabels?: Readonly<Record<string, string>>
  matchExpressions?: readonly AlertSelectorExpression[]
}

/** What every channel of a receiver has. */
export interface ChannelSpec {
  enabled?: boolean
  alertSelector?: AlertSelector
  template?: string
  titleTemplate?: string
  subjectTemplate?: string
  tmplType?: string
  tmplText?: ConfigMapKeyRef
  [field: string]: unknown
}

export interface NotificationObject extends KubeObject {
  metadata: ObjectMeta
  spec?: Record<string, unknown>
}

export interface ManagerSpec {
  defaultConfigSelector?: LabelSelector
  receivers?: {
    tenantKey?: string
    globalReceiverSelector?: LabelSelector
    tenantReceiverSelector?: LabelSelector
    options?: Record<string, Record<string, unknown> | undefined>
  }
  defaultSecretNamespace?: string
  groupLabels?: readonly string[]
  batchMaxSize?: number
  batchMaxWait?: string
  routePolicy?: string
  template?: {
    text?: ConfigMapKeyRef
    reloadCycle?: string
    languagePack?: readonly ConfigMapKeyRef[]
    language?: string
  }
  sidecars?: Record<string, unknown>
  history?: { webhook?: ChannelSpec }
}

export const CHANNELS = [
  'dingtalk',
  'discord',
  'email',
  'feishu',
  'pushover',
  'slack',
  'sms',
  'telegram',
  'webhook',
  'wechat',
] as const

export type Channel = (typeof CHANNELS)[number]

/**
 * v2beta1 and v2beta2 of configs and receivers. What differs: a credential of v2beta1 names a key of a secret, one of
 * v2beta2 wraps that, or holds the value itself; and v2beta1 knows fewer channels and fewer fields of them.
 */
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'

type Fields = Readonly<Record<string, 'plain' | 'credential' | Readonly<Record<string, unknown>>>>

const plain = (...names: string[]): Fields =>
  Object.fromEntries(names.map((name) => [name, 'plain' as const]))
const credentials = (...names: string[]): Fields =>
  Object.fromEntries(names.map((name) => [name, 'credential' as const]))

const TLS: Fields = {
  ...plain('serverName', 'insecureSkipVerify'),
  ...credentials('rootCA'),
  clientCertificate: credentials('cert', 'key'),
}

/** All that v2beta1 can say of a config. */
const CONFIG: Fields = {
  dingtalk: { ...plain('labels'), conversation: credentials('appkey', 'appsecret') },
  email: {
    ...plain('labels', 'from', 'smartHost', 'hello', 'authUsername', 'authIdentify', 'requireTLS'),
    ...credentials('authPassword', 'authSecret'),
    tls: TLS,
  },
  slack: { ...plain('labels'), ...credentials('slackTokenSecret') },
  webhook: plain('labels'),
  wechat: {
    ...plain('labels', 'wechatApiUrl', 'wechatApiCorpId', 'wechatApiAgentId'),
    ...credentials('wechatApiSecret'),
  },
}

/** All that v2beta1 can say of a receiver. */
const RECEIVER: Fields = {
  dingtalk: {
    ...plain('enabled', 'dingtalkConfigSelector', 'alertSelector'),
    chatbot: { ...plain('keywords'), ...credentials('webhook', 'secret') },
    conversation: plain('chatids'),
  },
  email: plain('enabled', 'to', 'emailConfigSelector', 'alertSelector'),
  slack: plain('enabled', 'slackConfigSelector', 'alertSelector', 'channels'),
  webhook: {
    ...plain('enabled', 'webhookConfigSelector', 'alertSelector', 'url', 'service'),
    httpConfig: {
      ...plain('proxyUrl'),
      ...credentials('bearerToken'),
      basicAuth: { ...plain('username'), ...credentials('password') },
      tlsConfig: TLS,
    },
  },
  wechat: plain('enabled', 'wechatConfigSelector', 'alertSelector', 'toUser', 'toParty', 'toTag'),
}

export type Convertible = 'configs' | 'receivers'

const FIELDS: Record<Convertible, Fields> = { configs: CONFIG, receivers: RECEIVER }

/** What v2beta1 can say of the spec. A credential that holds its value is left out: v2beta1 has no place for it. */
export function toV2beta1(of: Convertible, spec: JsonObject): JsonObject {
  return reduced(FIELDS[of], spec, unwrapped)
}

/**
 * A v2beta1 spec in the words of v2beta2.
 * @param stored what v2beta1 cannot say of it, as newer channels and templates, stays as it is there
 */
export function toV2beta2(of: Convertible, spec: JsonObject, stored: JsonObject = {}): JsonObject {
  const fields = FIELDS[of]
  const kept = Object.fromEntries(Object.entries(stored).filter(([channel]) => fields[channel] === undefined))
  return { ...kept, ...merged(fields, spec, stored) }
}

function reduced(fields: Fields, from: JsonObject, credential: (value: unknown) => unknown): JsonObject {
  const into: JsonObject = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = from[name]
    if (value === undefined) continue
    if (field === 'plain') into[name] = value
    else if (field === 'credential') {
      const converted = credential(value)
      if (converted !== undefined) into[name] = converted
    } else into[name] = isObject(value) ? reduced(field as Fields, value, credential) : value
  }
  return into
}

function merged(fields: Fields, spec: JsonObject, stored: JsonObject): JsonObject {
  const into = reduced(fields, spec, wrapped)
  for (const [name, field] of Object.entries(fields)) {
    const before = stored[name]
    if (field === 'credential') {
      // Its value could not be read in this version, so its absence does not mean that it should go.
      if (into[name] === undefined && isObject(before) && before['value'] !== undefined) into[name] = before
    } else if (typeof field === 'object' && isObject(into[name]) && isObject(before)) {
      const unknown = Object.entries(before).filter(([key]) => field[key] === undefined)
      const within = spec[name]
      into[name] = {
        ...Object.fromEntries(unknown),
        ...merged(field as Fields, isObject(within) ? within : {}, before),
      }
    }
  }
  return into
}

function wrapped(value: unknown): unknown {
  if (!isObject(value) || 'valueFrom' in value || 'value' in value) return value
  return Object.keys(value).length === 0 ? undefined : { valueFrom: { secretKeyRef: value } }
}

function unwrapped(value: unknown): unknown {
  if (!isObject(value)) return undefined
  const { valueFrom } = value
  if (isObject(valueFrom)) return valueFrom['secretKeyRef']
  return 'value' in value ? undefined : value
}

/** What the admission of the original checks of a spec, beyond its schema. */
import { invalidValue, required, unsupportedValue } from '../../apimachinery/errors/faults.js'
import { type FieldFault, invalid, StatusError } from '../../apimachinery/errors/index.js'
import { isObject, type JsonObject } from '../../apimachinery/json/index.js'
import { alertTest, expressionOf } from './alertselector.js'
import { NOTIFICATION_GROUP } from './kinds.js'
import { scheduleOf } from './schedule.js'
import { type AlertSelector } from './types.js'

const SOUNDS = new Set(
  (
    'pushover bike bugle cashregister classical cosmic falling gamelan incoming intermission magic mechanical pianobar ' +
    'siren spacealarm tugboat alien climb persistent echo updown vibrate none'
  ).split(' '),
)

/** Fields that hold a credential, wherever they are. */
const CREDENTIALS = new Set([
  'accessKeyId',
  'accessKeySecret',
  'appID',
  'appKey',
  'appSecret',
  'appkey',
  'appsecret',
  'authPassword',
  'authSecret',
  'bearerToken',
  'cert',
  'key',
  'password',
  'pushoverTokenSecret',
  'rootCA',
  'secret',
  'secretAccessKey',
  'secretId',
  'secretKey',
  'slackTokenSecret',
  'telegramTokenSecret',
  'wechatApiSecret',
])

export const isCredentialField = (name: string): boolean => CREDENTIALS.has(name)

const TYPES: Readonly<Record<string, readonly string[]>> = {
  dingtalk: ['text', 'markdown'],
  email: ['text', 'html'],
  feishu: ['text', 'post'],
  wechat: ['text', 'markdown'],
}

const LISTS: Readonly<Record<string, string>> = {
  email: 'to',
  slack: 'channels',
  sms: 'phoneNumbers',
  telegram: 'channels',
  pushover: 'profiles',
}

/** @throws StatusError 422 naming every fault */
export function demandValid(kind: string, name: string, spec: unknown): void {
  const faults = isObject(spec) ? faultsOf(kind, spec) : []
  if (faults.length > 0) throw invalid({ group: NOTIFICATION_GROUP, kind }, name, faults)
}

function faultsOf(kind: string, spec: JsonObject): FieldFault[] {
  switch (kind) {
    case 'Receiver':
      return Object.entries(spec).flatMap(([channel, value]) =>
        isObject(value) ? channelFaults(channel, value, `spec.${channel}`) : [],
      )
    case 'Config':
      return [...credentialFaults(spec, 'spec'), ...smsFaults(spec['sms'])]
    case 'Silence':
      return [
        ...attempt('spec.matcher', spec['matcher'], (matcher) => alertTest(matcher as AlertSelector)),
        ...attempt('spec.schedule', spec['schedule'], (schedule) => scheduleOf(String(schedule))),
      ]
    case 'Router': {
      const receivers = isObject(spec['receivers']) ? spec['receivers'] : {}
      return [
        ...attempt('spec.alertSelector', spec['alertSelector'], (s) => alertTest(s as AlertSelector)),
        ...attempt('spec.receivers.selector', receivers['selector'], (s) => alertTest(s as AlertSelector)),
        ...attempt('spec.receivers.regexName', receivers['regexName'], (text) => expressionOf(String(text))),
      ]
    }
    default:
      return []
  }
}

function channelFaults(channel: string, spec: JsonObject, path: string): FieldFault[] {
  const faults = [
    ...credentialFaults(spec, path),
    ...attempt(`${path}.alertSelector`, spec['alertSelector'], (s) => alertTest(s as AlertSelector)),
  ]
  const { tmplType } = spec
  const types = TYPES[channel]
  if (types && typeof tmplType === 'string' && tmplType !== '' && !types.includes(tmplType))
    faults.push(unsupportedValue(`${path}.tmplType`, tmplType, types))
  const list = LISTS[channel]
  if (list !== undefined && isEmpty(spec[list])) faults.push(required(`${path}.${list}`, 'must not be empty'))
  switch (channel) {
    case 'dingtalk':
      if (isObject(spec['conversation']) && isEmpty(spec['conversation']['chatids']))
        faults.push(required(`${path}.conversation.chatids`, 'must not be empty'))
      break
    case 'webhook':
      if (given(spec['url']) === isObject(spec['service']))
        faults.push(required(path, 'must specify one of: url or service'))
      break
    case 'wechat':
      if (['toUser', 'toParty', 'toTag'].every((field) => isEmpty(spec[field])) && !isObject(spec['chatbot']))
        faults.push(required(path, 'must specify one of: toUser, toParty, toTag or chatbot'))
      break
    case 'feishu':
      if (isEmpty(spec['user']) && isEmpty(spec['department']) && !isObject(spec['chatbot']))
        faults.push(required(path, 'must specify one of: user, department or chatbot'))
      break
    case 'discord':
      if (!isObject(spec['webhook'])) faults.push(required(`${path}.webhook`))
      if (given(spec['type']) && !['content', 'embed'].includes(String(spec['type'])))
        faults.push(unsupportedValue(`${path}.type`, spec['type'], ['content', 'embed']))
      break
    case 'pushover':
      if (Array.isArray(spec['profiles'])) faults.push(...profileFaults(spec['profiles'], `${path}.profiles`))
      break
  }
  return faults
}

function profileFaults(profiles: readonly unknown[], path: string): FieldFault[] {
  return profiles.flatMap((profile, position) => {
    if (!isObject(profile)) return []
    const at = `${path}[${position}]`
    const { userKey, devices, sound } = profile
    const faults: FieldFault[] = []
    if (!given(userKey)) faults.push(required(`${at}.userKey`))
    else if (!/^[A-Za-z0-9]{30}$/.test(String(userKey)))
      faults.push(invalidValue(`${at}.userKey`, userKey, 'must be 30 letters and digits'))
    for (const device of Array.isArray(devices) ? (devices as unknown[]) : [])
      if (!/^[A-Za-z0-9_-]{1,25}$/.test(String(device)))
        faults.push(invalidValue(`${at}.devices`, device, 'must be up to 25 letters, digits, _ and -'))
    if (given(sound) && !SOUNDS.has(String(sound)))
      faults.push(unsupportedValue(`${at}.sound`, sound, [...SOUNDS]))
    return faults
  })
}

/** Exactly one of a value and a reference, in every credential of the spec. */
function credentialFaults(spec: JsonObject, path: string): FieldFault[] {
  return Object.entries(spec).flatMap(([name, value]) => {
    const at = `${path}.${name}`
    if (!isObject(value)) return []
    const isCredential = CREDENTIALS.has(name) || (name === 'webhook' && /\.(?:chatbot|discord)$/.test(path))
    if (!isCredential) return name === 'alertSelector' ? [] : credentialFaults(value, at)
    const { value: inline, valueFrom } = value
    if (inline !== undefined && inline !== '' && valueFrom !== undefined)
      return [invalidValue(at, '', 'may not be specified when value is not empty')]
    if (valueFrom === undefined)
      return given(inline) ? [] : [required(at, 'must specify one of: value or valueFrom')]
    return isObject(valueFrom) && isObject(valueFrom['secretKeyRef'])
      ? []
      : [required(`${at}.valueFrom`, 'must specify secretKeyRef')]
  })
}

function smsFaults(sms: unknown): FieldFault[] {
  if (!isObject(sms) || !given(sms['defaultProvider'])) return []
  const provider = String(sms['defaultProvider'])
  const { providers } = sms
  return isObject(providers) && isObject(providers[provider])
    ? []
    : [invalidValue('spec.sms.defaultProvider', provider, 'cannot find provider')]
}

function attempt(path: string, value: unknown, parse: (value: unknown) => unknown): FieldFault[] {
  if (value === undefined || value === null || value === '') return []
  try {
    parse(value)
    return []
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return [invalidValue(path, typeof value === 'string' ? value : '', error.message)]
  }
}

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== ''
const isEmpty = (value: unknown): boolean => !Array.isArray(value) || value.length === 0

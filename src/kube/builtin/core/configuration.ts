/** v1 ConfigMap, Secret and ServiceAccount. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, forbidden, immutable, invalidValue, required, same, tooLong } from '../faults.js'
import { type KindRules } from '../rules.js'
import { type StringMap } from '../types.js'

const LIMIT_BYTES = 1024 * 1024

const KEY = /^[-._a-zA-Z0-9]+$/
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

function keyFaults(field: string, key: string): Faults {
  const faults: Faults = []
  if (key.length > 253) faults.push(invalidValue(field, key, 'must be no more than 253 characters'))
  if (!KEY.test(key)) faults.push(invalidValue(field, key, KEY_TEXT))
  if (key === '.') faults.push(invalidValue(field, key, "must not be '.'"))
  if (key === '..') faults.push(invalidValue(field, key, "must not be '..'"))
  else if (key.startsWith('..')) faults.push(invalidValue(field, key, "must not start with '..'"))
  return faults
}

/** Bytes that base64 text stands for. */
function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return (base64.length / 4) * 3 - padding
}

interface ConfigMap extends KubeObject {
  data?: StringMap
  binaryData?: StringMap
  immutable?: boolean
}

const configMapView = (object: object) => object as ConfigMap

export const configMap: KindRules = {
  validate: (object) => configMapFaults(configMapView(object)),
  validateUpdate(object, previous) {
    const [after, before] = [configMapView(object), configMapView(previous)]
    return frozenFaults(after, before, ['data', 'binaryData'])
  },
}

function configMapFaults({ data = {}, binaryData = {} }: ConfigMap): Faults {
  const faults: Faults = []
  let size = 0
  for (const [key, value] of Object.entries(data)) {
    faults.push(...keyFaults(`data[${key}]`, key))
    if (Object.hasOwn(binaryData, key)) {
      const why = `duplicate of key present in binaryData`
      faults.push(invalidValue(`data[${key}]`, key, why))
    }
    size += Buffer.byteLength(value)
  }
  for (const [key, value] of Object.entries(binaryData)) {
    faults.push(...keyFaults(`binaryData[${key}]`, key))
    size += decodedLength(value)
  }
  if (size > LIMIT_BYTES) faults.push(tooLong('', LIMIT_BYTES))
  return faults
}

/** What `immutable: true` has closed stays as it is, the flag included. */
function frozenFaults<T extends { immutable?: boolean }>(
  after: T,
  before: Readonly<T>,
  fields: readonly (keyof T & string)[],
): Faults {
  if (before.immutable !== true) return []
  const why = 'field is immutable when `immutable` is set'
  const faults: Faults = []
  if (after.immutable !== true) faults.push(forbidden('immutable', why))
  for (const field of fields) if (!same(after[field], before[field])) faults.push(forbidden(field, why))
  return faults
}

interface Secret extends KubeObject {
  data?: StringMap
  stringData?: StringMap
  type?: string
  immutable?: boolean
}

const secretView = (object: object) => object as Secret

export const secret: KindRules = {
  defaults(object) {
    const own = secretView(object)
    for (const [key, value] of Object.entries(own.stringData ?? {})) {
      own.data ??= {}
      own.data[key] = Buffer.from(value).toString('base64')
    }
    delete own.stringData
    own.type ??= 'Opaque'
  },
  prepareForUpdate(object, previous) {
    // An update that names no type keeps it; the default is for new secrets.
    const [after, before] = [secretView(object), secretView(previous)]
    if (after.type === undefined || after.type === '') after.type = before.type ?? 'Opaque'
  },
  validate: (object) => secretFaults(secretView(object)),
  validateUpdate(object, previous) {
    const [after, before] = [secretView(object), secretView(previous)]
    return [...immutable('type', after.type, before.type), ...frozenFaults(after, before, ['data'])]
  },
  fieldSelectors: { type: (object) => secretView(object).type ?? '' },
}

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name'

function secretFaults({ metadata, data = {}, type }: Secret): Faults {
  const faults: Faults = []
  let size = 0
  for (const [key, value] of Object.entries(data)) {
    faults.push(...keyFaults(`data[${key}]`, key))
    size += decodedLength(value)
  }
  if (size > LIMIT_BYTES) faults.push(tooLong('data', LIMIT_BYTES))
  const needed = (key: string) => {
    if (!Object.hasOwn(data, key)) faults.push(required(`data[${key}]`))
  }
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.[SERVICE_ACCOUNT_NAME]) {
        faults.push(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`))
      }
      break
    case 'kubernetes.io/dockercfg':
      faults.push(...jsonFaults('.dockercfg', data))
      break
    case 'kubernetes.io/dockerconfigjson':
      faults.push(...jsonFaults('.dockerconfigjson', data))
      break
    case 'kubernetes.io/basic-auth':
      if (!Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
        faults.push(required('data[%s][username]'), required('data[%s][password]'))
      }
      break
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) faults.push(required('data[%s][ssh-privatekey]'))
      break
    case 'kubernetes.io/tls':
      needed('tls.crt')
      needed('tls.key')
      break
  }
  return faults
}

function jsonFaults(key: string, data: StringMap): Faults {
  const field = `data[${key}]`
  if (!Object.hasOwn(data, key)) return [required(field)]
  const text = Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  try {
    JSON.parse(text)
    return []
  } catch {
    return [invalidValue(field, '<secret contents redacted>', jsonFault(text.trimStart()))]
  }
}

function jsonFault(text: string): string {
  if (text === '') return 'unexpected end of JSON input'
  const [first = ''] = text
  return /[[{"tfn\d-]/.test(first)
    ? 'invalid character in JSON'
    : `invalid character '${first}' looking for beginning of value`
}

interface ServiceAccount extends KubeObject {
  secrets?: { name?: string }[]
}

/** Of the secrets it may use an account tells the names. */
function keepNames(object: KubeObject): void {
  const own = object as ServiceAccount
  if (own.secrets) own.secrets = own.secrets.map(({ name }) => (name === undefined ? {} : { name }))
}

export const serviceAccount: KindRules = { prepareForCreate: keepNames, prepareForUpdate: keepNames }

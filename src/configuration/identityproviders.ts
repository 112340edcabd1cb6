/**
 * The options that each type of identity provider takes below `provider`, with types, defaults and what cannot be
 * left out. Names are those of the original (core.md §5.8); `rootCA` and `rootCAData` are accepted by every type.
 *
 * The configuration keeps the map as it was written, because the web console reads it; this decodes it.
 */
import { flag, integer, nearest, type Report, section, text, texts, type Values } from './field.js'

const tls = {
  insecureSkipVerify: flag(false, 'do not verify the certificate of the provider'),
  rootCA: text('', 'PEM file with the authorities that may have signed it'),
  rootCAData: text('', 'the same as base64 of the PEM text; wins'),
}

const client = {
  clientID: text('', 'client_id at the provider'),
  clientSecret: text('', 'client_secret at the provider', { secret: true }),
  redirectURL: text('', 'where the provider sends the browser back: /oauth/redirect/{name} of the console'),
  scopes: texts([], 'scopes to ask for'),
}

const endpoint = section('addresses of the provider', {
  authURL: text('', 'its login page'),
  tokenURL: text('', 'where codes are exchanged'),
  userInfoURL: text('', 'where it says who the user is'),
})

const oauth2 = { ...client, endpoint, ...tls }

const types = {
  LDAPIdentityProvider: section('an LDAP directory', {
    host: text('', 'host:port, or ldap:// or ldaps:// with them'),
    readTimeout: integer(15_000, 'milliseconds to wait for an answer'),
    startTLS: flag(false, 'TLS from the first byte; with ldap:// in host, the StartTLS operation'),
    ...tls,
    managerDN: text('', 'who searches; empty: nobody in particular'),
    managerPassword: text('', 'password of managerDN', { secret: true }),
    userSearchBase: text('', 'where users are'),
    userSearchFilter: text('', 'a filter that users must match besides'),
    loginAttribute: text('', 'attribute with the login name: uid, cn, sAMAccountName'),
    mailAttribute: text('', 'attribute with the e-mail address'),
    groupSearchBase: text('', 'accepted for compatibility'),
    groupSearchFilter: text('', 'accepted for compatibility'),
    userMemberAttribute: text('', 'accepted for compatibility'),
    groupMemberAttribute: text('', 'accepted for compatibility'),
  }),
  OIDCIdentityProvider: section('an OpenID provider', {
    ...client,
    ...tls,
    issuer: text('', 'its issuer; the rest is read from its discovery document'),
    endpoint: section('addresses of the provider; they win over those of the discovery document', {
      authURL: text('', 'its login page'),
      tokenURL: text('', 'where codes are exchanged'),
      userInfoURL: text('', 'where it says who the user is'),
      jwksURL: text('', 'keys that id tokens are signed with'),
      endSessionURL: text('', 'where the console logs out'),
    }),
    getUserInfo: flag(false, 'ask userInfoURL for claims that are not in the id token'),
    emailKey: text('email', 'claim with the e-mail address'),
    preferredUsernameKey: text('preferred_username', 'claim with the user name; fallback: name'),
  }),
  GitHubIdentityProvider: section('GitHub', oauth2),
  GitlabIdentityProvider: section('GitLab', oauth2),
  AliyunIDaaSProvider: section('Alibaba Cloud IDaaS', oauth2),
  CASIdentityProvider: section('a CAS server', {
    ...tls,
    redirectURL: text('', 'the service: where the server sends the browser back'),
    casServerURL: text('', 'address of the CAS server'),
  }),
}

export type ProviderType = keyof typeof types
export type ProviderOptions<T extends ProviderType> =
  ReturnType<(typeof types)[T]['initial']> extends infer O ? O : never
export type TlsOptions = Values<typeof tls>

export const MAPPING_METHODS = ['', 'auto', 'lookup', 'mixed']

/** Keys without which a provider cannot work; of alternatives one is enough. */
const REQUIRED: Readonly<Record<ProviderType, readonly (readonly string[])[]>> = {
  LDAPIdentityProvider: [['host'], ['userSearchBase'], ['loginAttribute']],
  OIDCIdentityProvider: [['clientID'], ['issuer', 'endpoint.tokenURL']],
  GitHubIdentityProvider: [['clientID']],
  GitlabIdentityProvider: [['clientID']],
  AliyunIDaaSProvider: [['clientID'], ['endpoint.tokenURL'], ['endpoint.userInfoURL']],
  CASIdentityProvider: [['casServerURL'], ['redirectURL']],
}

const isProviderType = (type: string): type is ProviderType => Object.hasOwn(types, type)

/** @throws Error when the options were never checked */
export function decodeProviderOptions<T extends ProviderType>(
  type: T,
  written: Readonly<Record<string, unknown>>,
): ProviderOptions<T> {
  const report: Report = { errors: [], warnings: [] }
  const options = types[type].decode(written, '', report)
  if (options === undefined || report.errors.length > 0)
    throw new Error(report.errors.map(({ path, message }) => `${path}: ${message}`).join('; '))
  return options as ProviderOptions<T>
}

export interface WrittenProvider {
  name: string
  type: string
  mappingMethod: string
  provider: Readonly<Record<string, unknown>>
}

/** Reports what is wrong with one entry of `identityProviders`. @param path of the entry */
export function checkIdentityProvider(entry: WrittenProvider, path: string, report: Report): void {
  const { name, type, mappingMethod, provider } = entry
  const wrong = (key: string, message: string): number =>
    report.errors.push({ path: `${path}.${key}`, message })
  if (name === '') wrong('name', 'required')
  if (name.includes('/')) wrong('name', 'must not contain a slash: it is part of the callback path')
  if (!MAPPING_METHODS.includes(mappingMethod))
    wrong('mappingMethod', `expected one of auto, lookup, mixed, got ${JSON.stringify(mappingMethod)}`)
  if (!isProviderType(type)) {
    const near = nearest(type, Object.keys(types))
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    wrong('type', `identity provider ${name} with type ${type} is not supported${hint}`)
    return
  }
  const options = types[type].decode(provider, `${path}.provider`, report)
  if (options === undefined) return
  for (const alternatives of REQUIRED[type]) {
    if (alternatives.some((key) => valueAt(options, key) !== '')) continue
    wrong(`provider.${alternatives[0] ?? ''}`, `required for ${type}${orElse(alternatives.slice(1))}`)
  }
  for (const [key, value] of addresses(options)) {
    if (!isHttpAddress(value)) wrong(`provider.${key}`, 'expected an address such as https://id.example.com')
  }
}

const orElse = (keys: readonly string[]): string =>
  keys.length === 0 ? '' : ` unless ${keys.join(', ')} is set`

function valueAt(options: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], options)
}

/** Options that are addresses and are not empty. */
function* addresses(options: object, prefix = ''): Generator<[string, string]> {
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    if (key === 'endpoint') yield* addresses(value as object, 'endpoint.')
    else if (typeof value === 'string' && value !== '' && (key.endsWith('URL') || key === 'issuer'))
      yield [prefix + key, value]
  }
}

function isHttpAddress(value: string): boolean {
  return URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol)
}

/**
 * Lets those who may act as somebody else: `Impersonate-User`, `-Group`, `-Uid`, `-Extra-KEY`.
 *
 * Each identity taken on needs verb `impersonate` on users, groups, serviceaccounts, uids or
 * `userextras/KEY`.
 */
import { badRequest, forbidden, internal } from '../../../apimachinery/errors/index.js'
import { type UserInfo } from '../../../apimachinery/meta/types.js'
import { type Headers } from '../../../client/transport.js'
import { type Done, type Filter } from '../chain.js'
import { type Exchange } from '../exchange.js'
import { type AuthorizationAttributes, type Authorize } from '../interfaces.js'
import { decisionText } from './authorization.js'

const EXTRA = 'impersonate-extra-'
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

function values(headers: Headers, name: string): string[] {
  const value = headers[name]
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** What is asked of the authorizer, one by one. */
function checks(user: UserInfo, wanted: UserInfo): AuthorizationAttributes[] {
  const base = { user, verb: 'impersonate', resourceRequest: true, path: '', apiVersion: 'v1' }
  const authentication = 'authentication.k8s.io'
  const account = SERVICE_ACCOUNT.exec(wanted.name)
  const list: AuthorizationAttributes[] = [
    account
      ? {
          ...base,
          apiGroup: '',
          namespace: account[1] ?? '',
          resource: 'serviceaccounts',
          subresource: '',
          name: account[2] ?? '',
        }
      : { ...base, apiGroup: '', namespace: '', resource: 'users', subresource: '', name: wanted.name },
  ]
  const add = (apiGroup: string, resource: string, subresource: string, name: string): void => {
    list.push({ ...base, apiGroup, namespace: '', resource, subresource, name })
  }
  for (const group of wanted.groups) add('', 'groups', '', group)
  if (wanted.uid !== undefined) add(authentication, 'uids', '', wanted.uid)
  for (const [key, texts] of Object.entries(wanted.extra ?? {})) {
    for (const text of texts) add(authentication, 'userextras', key, text)
  }
  return list
}

/** @returns undefined when no impersonation is asked for @throws StatusError 400 */
function wantedUser(headers: Headers): UserInfo | undefined {
  const [name = ''] = values(headers, 'impersonate-user')
  const groups = values(headers, 'impersonate-group')
  const [uid] = values(headers, 'impersonate-uid')
  const extra: Record<string, string[]> = {}
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(EXTRA)) continue
    try {
      extra[decodeURIComponent(header.slice(EXTRA.length))] = values(headers, header)
    } catch {
      throw badRequest(`the header ${header} is not valid percent-encoding`)
    }
  }
  const hasExtra = Object.keys(extra).length > 0
  if (name === '') {
    if (groups.length === 0 && uid === undefined && !hasExtra) return undefined
    throw internal('requested impersonation without impersonating a user')
  }
  return {
    name,
    groups,
    ...(uid !== undefined && { uid }),
    ...(hasExtra && { extra }),
  }
}

/** The groups that come with an identity by itself. */
function withImpliedGroups(wanted: UserInfo): UserInfo {
  const groups = [...wanted.groups]
  const account = SERVICE_ACCOUNT.exec(wanted.name)
  if (account && groups.length === 0) {
    groups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`)
  }
  const implied = wanted.name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  if (!groups.includes(implied)) groups.push(implied)
  return { ...wanted, groups }
}

export function impersonationFilter(authorize: Authorize): Filter {
  return {
    name: 'impersonation',
    handle(exchange, next) {
      const wanted = wantedUser(exchange.headers)
      return wanted ? becoming(exchange, wanted, next) : next()
    },
  }

  async function becoming(exchange: Exchange, wanted: UserInfo, next: () => Done): Promise<void> {
    for (const attributes of checks(exchange.user, wanted)) {
      const { allowed, reason } = await authorize(attributes)
      if (allowed) continue
      const { apiGroup: group, resource, subresource, name } = attributes
      const subject = { group, resource: subresource === '' ? resource : `${resource}/${subresource}` }
      throw forbidden(subject, name, decisionText(attributes, reason))
    }
    exchange.impersonator = exchange.user
    exchange.user = withImpliedGroups(wanted)
    await next()
  }
}

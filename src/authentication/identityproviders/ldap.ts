/**
 * LDAP: a user is the one entry below the search base whose login attribute is the user name, and whose DN can be
 * bound with the password.
 *
 * The name travels as a value, never as part of a filter's text. An empty password never gets here: a directory
 * takes it for an anonymous bind, which succeeds (RFC 4513, section 5.1.2).
 */
import { isIP } from 'node:net'
import { createRequire } from 'node:module'
import type * as Ldap from 'ldapts'
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { type Identity, nonsense, type PasswordProvider, ProviderError, unreachable } from './interface.js'
import { trustFrom } from './tls.js'

type Options = ProviderOptions<'LDAPIdentityProvider'>

/** A directory that answers so about a bind of a user has looked at the user. */
const REFUSALS = [
  'InvalidCredentialsError',
  'InappropriateAuthError',
  'NoSuchObjectError',
  'UnwillingToPerformError',
] as const
/** Only installations with such a provider pay for it. */
const library = (): typeof Ldap => createRequire(import.meta.url)('ldapts') as typeof Ldap

/** @throws Error when the filter or the authorities to trust are no good */
export function ldapProvider(options: Options): PasswordProvider {
  const address = addressOf(options)
  const trust = trustFrom(options)
  const tls = {
    rejectUnauthorized: trust.rejectUnauthorized,
    ...(trust.ca !== undefined && { ca: trust.ca }),
    ...(isIP(address.host) === 0 && { servername: address.host }),
  }
  const condition = options.userSearchFilter === '' ? undefined : parsed(options.userSearchFilter)

  return {
    kind: 'password',
    async login(username, password, signal) {
      signal.throwIfAborted()
      const client = new (library().Client)({
        url: address.url,
        timeout: options.readTimeout,
        connectTimeout: options.readTimeout,
        ...(address.tls === 'always' && { tlsOptions: tls }),
      })
      // Ends whatever is under way with an error.
      const abort = (): void => void client.unbind().catch(() => undefined)
      signal.addEventListener('abort', abort, { once: true })
      try {
        if (address.tls === 'upgrade') await client.startTLS({ ...tls })
        if (options.managerDN !== '') await client.bind(options.managerDN, options.managerPassword)
        const entry = await find(client, options, condition, username)
        await bindAs(client, entry.dn, password)
        return identityOf(entry, options)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw error instanceof ProviderError ? error : unreachable(error)
      } finally {
        signal.removeEventListener('abort', abort)
        await client.unbind().catch(() => undefined)
      }
    },
  }
}

/** @throws ProviderError `refused` unless there is exactly one */
async function find(
  client: Ldap.Client,
  options: Options,
  condition: Ldap.Filter | undefined,
  username: string,
): Promise<Ldap.Entry> {
  const { userSearchBase, loginAttribute, mailAttribute } = options
  const { AndFilter, EqualityFilter } = library()
  const named = new EqualityFilter({ attribute: loginAttribute, value: username })
  const { searchEntries } = await client.search(userSearchBase, {
    scope: 'sub',
    filter: condition === undefined ? named : new AndFilter({ filters: [named, condition] }),
    attributes: [loginAttribute, ...(mailAttribute === '' ? [] : [mailAttribute])],
    sizeLimit: 2,
    timeLimit: Math.ceil(options.readTimeout / 1000),
  })
  const [entry] = searchEntries
  if (entry === undefined || searchEntries.length > 1)
    throw new ProviderError('refused', 'incorrect password')
  return entry
}

async function bindAs(client: Ldap.Client, dn: string, password: string): Promise<void> {
  try {
    await client.bind(dn, password)
  } catch (error) {
    if (REFUSALS.some((refusal) => error instanceof library()[refusal]))
      throw new ProviderError('refused', 'incorrect password', { cause: error })
    throw error
  }
}

/** The name is the directory's, not as it was typed: directories compare without case. */
function identityOf(entry: Ldap.Entry, { loginAttribute, mailAttribute }: Options): Identity {
  const uid = firstValue(entry, loginAttribute)
  if (uid === '') throw nonsense(`the entry shows no ${loginAttribute}`)
  return { uid, username: uid, email: mailAttribute === '' ? '' : firstValue(entry, mailAttribute) }
}

function firstValue(entry: Ldap.Entry, attribute: string): string {
  const key = Object.keys(entry).find((name) => name.toLowerCase() === attribute.toLowerCase())
  const [value] = [key === undefined ? '' : (entry[key] ?? '')].flat()
  return typeof value === 'string' ? value : (value?.toString('utf8') ?? '')
}

interface Address {
  url: string
  host: string
  tls: 'never' | 'always' | 'upgrade'
}

/**
 * `startTLS` with a bare `host:port` is TLS from the first byte, whatever its name says: files written for the
 * original rely on it. With an address it is the StartTLS operation.
 */
function addressOf({ host, startTLS }: Options): Address {
  const hasScheme = /^ldaps?:\/\//.test(host)
  const url = new URL(hasScheme ? host : `${startTLS ? 'ldaps' : 'ldap'}://${host}`)
  const name = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol === 'ldaps:') return { url: url.href, host: name, tls: 'always' }
  return { url: url.href, host: name, tls: startTLS ? 'upgrade' : 'never' }
}

/** Both `(objectClass=person)` and `objectClass=person` are written. */
function parsed(filter: string): Ldap.Filter {
  return library().FilterParser.parseString(filter.startsWith('(') ? filter : `(${filter})`)
}

/**
 * The LDAP directory that users of the platform are written to, for programs that know only LDAP.
 *
 * Passwords go there as the hashes that the platform keeps, in the scheme `{CRYPT}`, which directories on systems with
 * bcrypt in crypt(3) understand (OpenLDAP on today's Linux). The original sent them in plain text.
 */
import { createRequire } from 'node:module'
import type * as Ldap from 'ldapts'

export interface LdapOptions {
  /** `host:port`, or an address with `ldap://` or `ldaps://`. */
  host: string
  managerDN: string
  managerPassword: string
  userSearchBase: string
}

export interface DirectoryUser {
  name: string
  /** "" for none. */
  email: string
  passwordHash: string
}

/** Of one operation. */
const TIMEOUT_MS = 5_000
/** Only installations with a directory pay for it. */
const library = (): typeof Ldap => createRequire(import.meta.url)('ldapts') as typeof Ldap

export class LdapDirectory {
  readonly #url: string

  /** @throws TypeError when the host is none */
  constructor(private readonly options: LdapOptions) {
    const { host } = options
    this.#url = new URL(/^ldaps?:\/\//.test(host) ? host : `ldap://${host}`).href
  }

  /** @returns whether anything had to be written */
  put({ name, email, passwordHash }: DirectoryUser, signal: AbortSignal): Promise<boolean> {
    const userPassword = `{CRYPT}${passwordHash}`
    return this.#connected(signal, async (client) => {
      const dn = this.#dnOf(name)
      const entry = await this.#find(client, dn)
      const mail = email === '' ? [] : [email]
      if (entry === undefined) {
        await client.add(dn, {
          objectClass: ['inetOrgPerson', 'top'],
          uid: name,
          cn: name,
          sn: name,
          userPassword,
          ...(email !== '' && { mail }),
        })
        return true
      }
      const changes = [
        ...replacement('userPassword', entry.userPassword, [userPassword]),
        ...replacement('mail', entry.mail, mail),
      ]
      if (changes.length > 0) await client.modify(dn, changes)
      return changes.length > 0
    })
  }

  /** That it is not there is fine. */
  remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#connected(signal, async (client) => {
      try {
        await client.del(this.#dnOf(name))
      } catch (error) {
        if (!(error instanceof library().NoSuchObjectError)) throw error
      }
    })
  }

  #dnOf(name: string): string {
    return `${new (library().DN)().addPairRDN('uid', name).toString()},${this.options.userSearchBase}`
  }

  async #find(
    client: Ldap.Client,
    dn: string,
  ): Promise<{ userPassword: string[]; mail: string[] } | undefined> {
    try {
      const { searchEntries } = await client.search(dn, {
        scope: 'base',
        attributes: ['userPassword', 'mail'],
      })
      const [entry] = searchEntries
      return entry && { userPassword: texts(entry['userPassword']), mail: texts(entry['mail']) }
    } catch (error) {
      if (error instanceof library().NoSuchObjectError) return undefined
      throw error
    }
  }

  async #connected<T>(signal: AbortSignal, work: (client: Ldap.Client) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const { managerDN, managerPassword } = this.options
    const client = new (library().Client)({ url: this.#url, timeout: TIMEOUT_MS, connectTimeout: TIMEOUT_MS })
    // Ends whatever is under way with an error.
    const abort = (): void => void client.unbind().catch(() => undefined)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await client.bind(managerDN, managerPassword)
      return await work(client)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw new Error(`the directory ${this.#url}: ${(error as Error).message}`, { cause: error })
    } finally {
      signal.removeEventListener('abort', abort)
      await client.unbind().catch(() => undefined)
    }
  }
}

function texts(values: string | string[] | Buffer | Buffer[] | undefined): string[] {
  return [values ?? []].flat().map((value) => value.toString())
}

function replacement(type: string, is: readonly string[], values: string[]): Ldap.Change[] {
  if (is.length === values.length && is.every((value, i) => value === values[i])) return []
  const { Attribute, Change } = library()
  return [new Change({ operation: 'replace', modification: new Attribute({ type, values }) })]
}

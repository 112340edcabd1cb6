/** OAuth clients, and where a login may be sent back to. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type OAuthClientOptions } from './options.js'

const ANY = '*'

export class OAuthClient {
  constructor(private readonly options: OAuthClientOptions) {}

  get name(): string {
    return this.options.name
  }

  hasSecret(secret: string): boolean {
    // Digests have one length, so the comparison tells nothing about the secret's.
    return timingSafeEqual(digest(secret), digest(this.options.secret))
  }

  allows(uri: string): boolean {
    return (
      this.options.redirectURIs.includes(uri) || (this.options.redirectURIs.includes(ANY) && isAbsolute(uri))
    )
  }

  /**
   * @param requested "" for the first configured one
   * @returns undefined when the client may not be sent there
   */
  redirectTo(requested: string): string | undefined {
    if (requested !== '') return this.allows(requested) ? requested : undefined
    const [first] = this.options.redirectURIs
    return first === undefined || first === ANY ? undefined : first
  }
}

export class OAuthClients {
  readonly #byName: ReadonlyMap<string, OAuthClient>

  constructor(options: readonly OAuthClientOptions[]) {
    this.#byName = new Map(options.map((client) => [client.name, new OAuthClient(client)]))
  }

  get(name: string): OAuthClient | undefined {
    return this.#byName.get(name)
  }

  /** Whether any client may be sent there; where to go after logging out follows the same lists. */
  anyAllows(uri: string): boolean {
    return [...this.#byName.values()].some((client) => client.allows(uri))
  }
}

/** An address a browser goes to without running it. */
function isAbsolute(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol } = new URL(uri)
  return protocol !== 'javascript:' && protocol !== 'data:' && protocol !== 'vbscript:'
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

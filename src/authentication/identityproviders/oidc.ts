/**
 * OpenID Connect: the user is the subject of a verified id token (OpenID Connect Core 1.0, sections 3.1.3 and 5.3).
 *
 * Addresses come from the options and, for what these leave out, from the discovery document of the issuer. It is
 * fetched when it is first needed and again when it is old; a provider that is down is asked again at the next login.
 */
import type * as Jose from 'jose'
import { type ProviderOptions } from '../../configuration/identityproviders.js'
import { type Endpoint, publishedEndpoint } from './endpoint.js'
import { claim, jsonObject, type ProviderHttp, providerHttp } from './http.js'
import { type CallbackProvider, type Identity, nonsense, ProviderError, unreachable } from './interface.js'
import { type ClientAuthentication, exchangeCode, userInfo } from './oauth2.js'
import { trustFrom } from './tls.js'

type Options = ProviderOptions<'OIDCIdentityProvider'>

/** What `alg` may say: signatures that the key set of the provider can verify. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
/** Faults of the key set, not of the token. */
const KEY_SET_FAULTS: ReadonlySet<string> = new Set([
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_TIMEOUT',
  'ERR_JWKS_INVALID',
])
const CLOCK_TOLERANCE_S = 60
/** Only installations with such a provider pay for it. */
const library = (): Promise<typeof Jose> => import('jose')
const DOCUMENT_LIFETIME_MS = 3_600_000
/** How long a failed discovery keeps others from trying when nobody waits for it. */
const RETRY_MS = 10_000

/** Option → member of the discovery document (OpenID Connect Discovery 1.0, section 3). */
const MEMBERS = {
  authURL: 'authorization_endpoint',
  tokenURL: 'token_endpoint',
  userInfoURL: 'userinfo_endpoint',
  jwksURL: 'jwks_uri',
  endSessionURL: 'end_session_endpoint',
} as const

interface Metadata {
  endpoint: Record<keyof typeof MEMBERS, string>
  authentication: readonly ClientAuthentication[]
  /** Fetched at the first use, and kept. Undefined when it is not known where the keys are. */
  keys?: ReturnType<typeof Jose.createRemoteJWKSet>
}

/** @throws Error when the authorities to trust cannot be read */
export function oidcProvider(options: Options, now: () => number = Date.now): CallbackProvider {
  return new OidcProvider(options, providerHttp(trustFrom(options)), now)
}

class OidcProvider implements CallbackProvider {
  readonly kind = 'callback'
  #metadata: Metadata | undefined
  #fetchedAt = -Infinity
  #triedAt = -Infinity
  #fetching: Promise<Metadata> | undefined

  constructor(
    private readonly options: Options,
    private readonly http: ProviderHttp,
    private readonly now: () => number,
  ) {
    if (options.issuer === '') this.#metadata = this.#from({})
  }

  prepare(): void {
    if (this.#isFresh() || this.now() - this.#triedAt < RETRY_MS) return
    // Whoever logs in hears of a failure, and tries again.
    this.#discover().catch(() => undefined)
  }

  published(): Readonly<Record<string, unknown>> {
    const { scopes } = this.options
    const endpoint: Endpoint | undefined = this.#metadata?.endpoint
    return {
      ...(endpoint && publishedEndpoint(endpoint)),
      // Without it there is no id token.
      scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    }
  }

  async exchange(query: URLSearchParams, signal: AbortSignal): Promise<Identity> {
    const { options, http } = this
    const metadata = await this.#current()
    const { tokenURL, userInfoURL } = metadata.endpoint
    if (tokenURL === '') throw nonsense('the discovery document has no token_endpoint')
    const { authentication } = metadata
    const tokens = await exchangeCode(http, { client: options, tokenURL, query, authentication }, signal)
    if (tokens.idToken === '') throw nonsense('the token endpoint answered without id_token')
    let claims: Record<string, unknown> = await this.#verified(tokens.idToken, metadata)
    if (options.getUserInfo) {
      if (userInfoURL === '') throw nonsense('getUserInfo is set, and there is no userInfoURL')
      const more = await userInfo(http, userInfoURL, tokens.accessToken, signal)
      // Section 5.3.2: otherwise it is about somebody else.
      if (more['sub'] !== claims['sub']) throw nonsense('user info and id token are about different subjects')
      claims = { ...claims, ...more }
    }
    const uid = claim(claims, 'sub')
    if (uid === '') throw nonsense('the id token has no sub')
    const { emailKey, preferredUsernameKey } = options
    return {
      uid,
      username: claim(claims, preferredUsernameKey || 'preferred_username') || claim(claims, 'name'),
      email: claim(claims, emailKey || 'email'),
    }
  }

  /** Section 3.1.3.7; `nonce` is not sent, because the console makes the request. */
  async #verified(idToken: string, metadata: Metadata): Promise<Jose.JWTPayload> {
    const { clientID: audience, issuer } = this.options
    const { decodeJwt, errors, jwtVerify } = await library()
    try {
      const { jwksURL } = metadata.endpoint
      if (jwksURL === '') return this.#fresh(decodeJwt(idToken))
      const keys = (metadata.keys ??= await this.#keysAt(jwksURL))
      const { payload } = await jwtVerify(idToken, keys, {
        audience,
        ...(issuer !== '' && { issuer }),
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.now()),
      })
      return this.#ours(payload)
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      if (KEY_SET_FAULTS.has(error.code)) throw unreachable(error)
      throw new ProviderError('refused', 'the id token cannot be verified', { cause: error })
    }
  }

  /** The token came straight from the token endpoint, whose TLS vouches for it where no keys are known (step 6). */
  #fresh(payload: Jose.JWTPayload): Jose.JWTPayload {
    const audiences = [payload.aud ?? []].flat()
    const isOver = payload.exp === undefined || (payload.exp + CLOCK_TOLERANCE_S) * 1000 <= this.now()
    if (isOver || !audiences.includes(this.options.clientID))
      throw new ProviderError('refused', 'the id token is for another client, or over')
    return this.#ours(payload)
  }

  /** Steps 4 and 5. */
  #ours(payload: Jose.JWTPayload): Jose.JWTPayload {
    const party = payload['azp']
    if (party !== undefined && party !== this.options.clientID)
      throw new ProviderError('refused', 'the id token was issued to another client')
    return payload
  }

  #isFresh(): boolean {
    if (this.options.issuer === '') return true
    return this.now() - this.#fetchedAt < DOCUMENT_LIFETIME_MS
  }

  /** What is known, as long as the provider cannot be asked for newer. */
  async #current(): Promise<Metadata> {
    if (this.#metadata !== undefined && this.#isFresh()) return this.#metadata
    if (this.#metadata !== undefined) {
      this.prepare()
      return this.#metadata
    }
    return this.#discover()
  }

  /** One at a time: not bound to the request that happens to be first. */
  #discover(): Promise<Metadata> {
    this.#triedAt = this.now()
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetch(): Promise<Metadata> {
    const { issuer } = this.options
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = jsonObject(await this.http(url, {}, new AbortController().signal), 'discovery')
    // Discovery, section 4.3: a document about somebody else must not be used.
    if (document['issuer'] !== issuer)
      throw nonsense(`the discovery document is of ${JSON.stringify(document['issuer'])}`)
    this.#metadata = this.#from(document)
    this.#fetchedAt = this.now()
    return this.#metadata
  }

  #from(document: Readonly<Record<string, unknown>>): Metadata {
    const written = this.options.endpoint
    const endpoint = Object.fromEntries(
      Object.entries(MEMBERS).map(([key, member]) => [
        key,
        written[key as keyof typeof MEMBERS] || claim(document, member),
      ]),
    ) as Metadata['endpoint']
    return {
      endpoint,
      authentication: authenticationOf(document['token_endpoint_auth_methods_supported']),
    }
  }

  async #keysAt(jwksURL: string): Promise<ReturnType<typeof Jose.createRemoteJWKSet>> {
    const { createRemoteJWKSet, customFetch } = await library()
    return createRemoteJWKSet(new URL(jwksURL), {
      [customFetch]: async (url: string, { signal }: { signal: AbortSignal }) => {
        const { status, text } = await this.http(url, {}, signal)
        return new Response(text, { status })
      },
    })
  }
}

/** The default is the one every provider has to offer; others are tried in turn when nothing is declared. */
function authenticationOf(declared: unknown): ClientAuthentication[] {
  if (!Array.isArray(declared)) return ['basic', 'form']
  if (declared.includes('client_secret_basic')) return ['basic']
  return ['form']
}

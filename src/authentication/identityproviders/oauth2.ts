/**
 * The exchange of an authorization code for tokens (RFC 6749, sections 4.1.3 and 5), and reading who the user is with
 * the access token (RFC 6750).
 */
import { type ProviderHttp, type ProviderResponse, jsonObject } from './http.js'
import { nonsense, ProviderError } from './interface.js'

/** How the client proves itself at the token endpoint: RFC 6749, section 2.3.1. */
export type ClientAuthentication = 'basic' | 'form'

export interface OAuth2Client {
  clientID: string
  clientSecret: string
  redirectURL: string
}

export interface CodeExchange {
  client: OAuth2Client
  tokenURL: string
  query: URLSearchParams
  /** In the order in which they are tried: providers differ, and say so with `invalid_client`. */
  authentication: readonly ClientAuthentication[]
}

export interface Tokens {
  accessToken: string
  idToken: string
}

/** @throws ProviderError */
export async function exchangeCode(
  http: ProviderHttp,
  { client, tokenURL, query, authentication }: CodeExchange,
  signal: AbortSignal,
): Promise<Tokens> {
  const said = query.get('error') ?? ''
  if (said !== '') throw refused(said)
  const code = query.get('code') ?? ''
  if (code === '') throw new ProviderError('refused', 'the identity provider sent no code')

  let answer: URLSearchParams | undefined
  for (const how of authentication) {
    answer = fields(await http(tokenURL, tokenRequest(client, code, how), signal))
    if (answer.get('error') !== 'invalid_client') break
  }
  const error = answer?.get('error') ?? ''
  if (error === 'invalid_client')
    throw nonsense('the token endpoint does not accept clientID and clientSecret')
  if (error !== '') throw refused(error)
  const accessToken = answer?.get('access_token') ?? ''
  if (accessToken === '') throw nonsense('the token endpoint answered without access_token')
  return { accessToken, idToken: answer?.get('id_token') ?? '' }
}

function tokenRequest(
  { clientID, clientSecret, redirectURL }: OAuth2Client,
  code: string,
  how: ClientAuthentication,
) {
  const form = new URLSearchParams({ grant_type: 'authorization_code', code })
  if (redirectURL !== '') form.set('redirect_uri', redirectURL)
  if (how === 'form') {
    form.set('client_id', clientID)
    if (clientSecret !== '') form.set('client_secret', clientSecret)
    return { method: 'POST', form } as const
  }
  const pair = `${formEncoded(clientID)}:${formEncoded(clientSecret)}`
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  return { method: 'POST', headers, form } as const
}

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

/** Some providers answer with a form instead of JSON, and some with an error and status 200. */
function fields(response: ProviderResponse): URLSearchParams {
  const { status, contentType, text } = response
  let found: URLSearchParams
  if (contentType.includes('form-urlencoded')) {
    found = new URLSearchParams(text)
  } else {
    let json: Record<string, unknown> = {}
    try {
      json = jsonObject({ ...response, status: 200 }, 'the token endpoint')
    } catch (error) {
      if (status === 200) throw error
    }
    const texts = Object.entries(json).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    )
    found = new URLSearchParams(texts)
  }
  if (status !== 200 && !found.has('error')) {
    if (status === 401) found.set('error', 'invalid_client')
    else throw nonsense(`the token endpoint answered ${status}`)
  }
  return found
}

/** Codes are words; anything else a provider, or whoever made the address, might say is not repeated. */
function refused(code: string): ProviderError {
  const word = /^[\w.-]{1,64}$/.test(code) ? `: ${code}` : ''
  return new ProviderError('refused', `the identity provider refused the login${word}`)
}

/** @throws ProviderError */
export async function userInfo(
  http: ProviderHttp,
  userInfoURL: string,
  accessToken: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${accessToken}`, 'user-agent': 'orrery' }
  return jsonObject(await http(userInfoURL, { headers }, signal), 'the user info endpoint')
}

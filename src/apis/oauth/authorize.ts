/**
 * `/oauth/authorize`: sends a logged-in caller back to the client with a code or tokens (RFC 6749, sections 4.1
 * and 4.2).
 *
 * The caller proves who it is with a token or with Basic credentials, as on any request, or in a browser with
 * the login page, whose form posts here. There is no session cookie, so nothing can be authorized behind the
 * user's back.
 */
import { ANONYMOUS, type UserInfo } from '../../apimachinery/meta/types.js'
import { type OAuthClient } from '../../authentication/clients.js'
import { PRE_REGISTRATION } from '../../authentication/authenticator.js'
import { LoginError } from '../../authentication/login.js'
import { BusyError } from '../../authentication/passwords.js'
import { type Subject } from '../../authentication/tokens/issuer.js'
import { Reply, route, type Route, type RouteContext } from '../../serving/route.js'
import { clientNamed, type OAuthDeps, subjectOf } from './deps.js'
import { answering, FORM, formOf, OAuthError } from './errors.js'
import { loginPage, PAGE_HEADERS } from './loginpage.js'
import { passwordLogin } from './password.js'

const RESPONSE_TYPES: ReadonlySet<string> = new Set(['code', 'id_token', 'token'])
const MEDIA_TYPES = ['application/json', 'text/html']

export function authorizeRoutes(deps: OAuthDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/authorize',
      summary: 'Send a logged-in user back to an OAuth client; shows a login page to browsers.',
      access: 'public',
      produces: MEDIA_TYPES,
      handle: (context) => answering(() => authorize(deps, context, context.query, true)),
    }),
    route({
      method: 'POST',
      path: '/authorize',
      summary: 'The same, with the parameters in a form.',
      access: 'public',
      consumes: [FORM],
      produces: MEDIA_TYPES,
      handle: (context) => answering(() => authorize(deps, context, formOf(context.body), false)),
    }),
  ]
}

async function authorize(
  deps: OAuthDeps,
  context: RouteContext<unknown, unknown>,
  parameters: URLSearchParams,
  withBody: boolean,
): Promise<Reply> {
  const client = clientNamed(deps.clients, parameters.get('client_id'), 400)
  const redirectUri = client.redirectTo(parameters.get('redirect_uri') ?? '')
  if (redirectUri === undefined) throw new OAuthError(400, 'invalid_request', 'redirect URL is not allowed')

  const isBrowser = (context.headers.accept ?? '').includes('text/html')
  let user = context.user
  if (isAnonymous(user)) {
    try {
      user = await formLogin(deps, context, parameters)
    } catch (error) {
      if (!isBrowser || !(error instanceof LoginError || error instanceof BusyError)) throw error
      return new Reply(401, PAGE_HEADERS, loginPage(client.name, parameters, error.message))
    }
  }
  if (isAnonymous(user)) {
    if (isBrowser) return new Reply(200, PAGE_HEADERS, loginPage(client.name, parameters))
    throw new OAuthError(401, 'login_required', '', { 'WWW-Authenticate': 'Basic' })
  }
  const location = await destination(deps, client, user, new URL(redirectUri), parameters)
  return redirect(location, withBody)
}

const isAnonymous = (user: UserInfo): boolean => user.name === ANONYMOUS.name

/** The fields of the login page, when they were sent. */
async function formLogin(
  deps: OAuthDeps,
  { user, info, signal, exchange }: RouteContext<unknown, unknown>,
  parameters: URLSearchParams,
): Promise<UserInfo> {
  // Never from an address: those are remembered and logged.
  if (exchange.request.method !== 'POST' || !parameters.has('username')) return user
  const subject = await passwordLogin(deps, parameters, 'OAuth', info, signal)
  if (subject.username === PRE_REGISTRATION)
    throw new LoginError('unmapped', 'log in to the web console first, to choose a user name')
  return { name: subject.username, groups: [] }
}

async function destination(
  { sessions, users }: OAuthDeps,
  client: OAuthClient,
  { name }: UserInfo,
  target: URL,
  parameters: URLSearchParams,
): Promise<string> {
  const state = parameters.get('state') ?? ''
  const refuse = (error: string, description = ''): string => {
    const query = new URLSearchParams({ error })
    if (description !== '') query.set('error_description', description)
    if (state !== '') query.set('state', state)
    target.search = query.toString()
    return target.href
  }

  const types = (parameters.get('response_type') ?? '').split(' ').filter((type) => type !== '')
  if (types.some((type) => !RESPONSE_TYPES.has(type)))
    return refuse('invalid_request', 'Some requested response types were invalid')
  const [type] = types
  if (types.length !== 1 || type === undefined || type === 'id_token')
    return refuse('unsupported_response_type')

  const user = users.get(name)
  const subject: Subject = user === undefined ? { username: name } : subjectOf(user)
  if (type === 'token') {
    const { access_token, expires_in, refresh_token, token_type } = await sessions.open(subject)
    const fragment = new URLSearchParams({ access_token })
    if (expires_in !== undefined) fragment.set('expires_in', String(expires_in))
    fragment.set('refresh_token', refresh_token)
    if (state !== '') fragment.set('state', state)
    fragment.set('token_type', token_type)
    target.hash = fragment.toString()
    return target.href
  }

  const challenge = parameters.get('code_challenge') ?? ''
  const method = parameters.get('code_challenge_method') ?? ''
  const code = await sessions.openCode({
    ...subject,
    aud: [client.name],
    scopes: (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== ''),
    nonce: parameters.get('nonce') ?? '',
    redirect_uri: parameters.get('redirect_uri') ?? '',
    ...(challenge !== '' && { code_challenge: challenge, code_challenge_method: method }),
  })
  target.searchParams.set('code', code)
  if (state !== '') target.searchParams.set('state', state)
  target.searchParams.sort()
  return target.href
}

/** A GET gets a small page for clients that do not follow by themselves. */
function redirect(location: string, withBody: boolean): Reply {
  const headers = { Location: location, 'Cache-Control': 'no-store' }
  if (!withBody) return new Reply(302, headers)
  const html = { ...headers, 'Content-Type': 'text/html; charset=utf-8' }
  return new Reply(302, html, `<a href="${escaped(location)}">Found</a>.\n\n`)
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

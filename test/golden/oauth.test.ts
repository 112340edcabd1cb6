/**
 * The recorded conversation with the OAuth server, held again with ours over a socket. Where ours is meant to
 * be better the entry is listed with the reason, and must differ.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { iamGroup } from '../../src/apis/iam/v1alpha2/index.js'
import { oauthGroup } from '../../src/apis/oauth/index.js'
import { LiteralInformers } from '../fixtures/informers.js'
import { iamDeps, type LiteralServer, serveLiterals } from '../fixtures/server.js'
import { type Entry, entriesOf, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

const PASSWORD = 'P@88w0rd'

/** Entry → why ours answers differently. */
const BETTER: Readonly<Record<string, string>> = {
  'oauth-029': 'state is echoed, as RFC 6749 requires',
  'oauth-036': 'state is echoed, as RFC 6749 requires',
  'oauth-037': 'authorization_code is a name of the code grant',
  'oauth-038': 'the code has been used by oauth-037',
  'oauth-039': 'a code works once',
  'oauth-043': 'authorization_code is a name of the code grant',
  'oauth-044': 'authorization_code is a name of the code grant',
  'oauth-045': 'authorization_code is a name of the code grant',
  'oauth-055': 'v3.4 gives the state back after logging out, and so do we',
}

const title = `the recorded OAuth conversation${HAVE_GOLDEN ? '' : `, ${WITHOUT_GOLDEN}`}`

describe.skipIf(!HAVE_GOLDEN)(title, () => {
  const state = HAVE_GOLDEN ? readGolden<Record<string, { items: KubeObject[] }>>('state.json') : {}
  let server: LiteralServer
  let base: string
  const sessions = new Map<string, { access: string; refresh: string }>()
  const variables = new Map<string, string>()

  beforeAll(async () => {
    const informers = LiteralInformers.from(state)
    server = await serveLiterals(informers, (parts) => [
      oauthGroup({ issuer: 'kubesphere', ...parts.authentication }),
      iamGroup(iamDeps(informers, parts)),
    ])
    base = server.base
  })

  afterAll(() => server?.close())

  async function sessionOf(user: string): Promise<{ access: string; refresh: string }> {
    let session = sessions.get(user)
    if (session === undefined) {
      const body = new URLSearchParams({
        grant_type: 'password',
        username: user,
        password: PASSWORD,
        client_id: 'kubesphere',
        client_secret: 'kubesphere',
      })
      const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body })
      const tokens = (await answer.json()) as { access_token: string; refresh_token: string }
      session = { access: tokens.access_token, refresh: tokens.refresh_token }
      sessions.set(user, session)
    }
    return session
  }

  async function filled(text: string): Promise<string> {
    let result = text
    for (const [placeholder, kind, name = ''] of text.matchAll(/<(token|refresh|var):([^>]+)>/g)) {
      const value =
        kind === 'var'
          ? (variables.get(name) ?? '')
          : (await sessionOf(name))[kind === 'token' ? 'access' : 'refresh']
      result = result.replace(placeholder, value)
    }
    return result
  }

  async function ask({ request }: Entry): Promise<Response> {
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, await filled(value))
    if (request.user !== null && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${(await sessionOf(request.user)).access}`)
    let body: string | undefined
    if (request.json !== undefined) {
      body = await filled(JSON.stringify(request.json))
      headers.set('content-type', 'application/json')
    } else if (request.form !== undefined) {
      const fields = await Promise.all(
        Object.entries(request.form).map(async ([name, value]): Promise<[string, string]> => [
          name,
          await filled(value),
        ]),
      )
      body = new URLSearchParams(fields).toString()
      headers.set('content-type', 'application/x-www-form-urlencoded')
    } else if (request.raw !== undefined) {
      body = request.raw
    }
    return fetch(base + (await filled(request.path)), {
      method: request.method,
      headers,
      redirect: 'manual',
      ...(body !== undefined && { body }),
    })
  }

  const normal = (text: string): string =>
    text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<jwt>').replace(/"(kid|n)":"[^"]*"/g, '"$1":"..."')

  interface Comparable {
    status: number
    type: string
    location: string
    body: unknown
  }

  async function given(response: Response): Promise<Comparable> {
    const text = normal(await response.text())
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      location: normal(response.headers.get('location') ?? ''),
      body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
    }
  }

  function recorded({ response }: Entry): Comparable {
    return {
      status: response.status,
      type: response.headers['Content-Type'] ?? '',
      location: normal(response.headers['Location'] ?? ''),
      body:
        response.json === undefined
          ? normal(response.text ?? '')
          : JSON.parse(normal(JSON.stringify(response.json))),
    }
  }

  it.each((HAVE_GOLDEN ? entriesOf('oauth') : []).map((entry) => [entry.id, entry] as const))(
    '%s',
    async (id, entry) => {
      const response = await ask(entry)
      const code = /[?&]code=([^&]+)/.exec(response.headers.get('location') ?? '')?.[1]
      if (code !== undefined) variables.set('code', code)

      const ours = await given(response)

      if (BETTER[id] === undefined) expect(ours).toEqual(recorded(entry))
      else expect(ours, BETTER[id]).not.toEqual(recorded(entry))
    },
  )
})

/** Logging in through an identity provider: the way back from its pages, and with its user name and password. */
import { unauthorized } from '../../apimachinery/errors/index.js'
import { LoginError } from '../../authentication/login.js'
import { route, type Route } from '../../serving/route.js'
import { NO_PROVIDERS, type OAuthDeps } from './deps.js'
import { answering, FORM, formOf, json } from './errors.js'

export function providerRoutes({ sessions, identityProviders = NO_PROVIDERS }: OAuthDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/callback/{provider}',
      summary: 'Back from an identity provider.',
      access: 'public',
      errors: 'text',
      async handle({ params, query, signal }) {
        try {
          return json(
            200,
            await sessions.open(await identityProviders.callback(params.provider, query, signal)),
          )
        } catch (error) {
          if (error instanceof LoginError) throw unauthorized(`Unauthorized: ${error.message}`)
          throw error
        }
      },
    }),
    route({
      method: 'POST',
      path: '/login/{provider}',
      summary: 'Log in with the user name and password of an identity provider.',
      access: 'public',
      consumes: [FORM],
      handle: ({ params, body, signal }) =>
        answering(async () => {
          const form = formOf(body)
          const [username, password] = [form.get('username') ?? '', form.get('password') ?? '']
          return json(
            200,
            await sessions.open(await identityProviders.login(params.provider, username, password, signal)),
          )
        }),
    }),
  ]
}

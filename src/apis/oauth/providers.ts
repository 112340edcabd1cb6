/** Logging in through an identity provider: the way back from its pages, and with its user name and password. */
import { unauthorized, unavailable } from '../../apimachinery/errors/index.js'
import { LoginError } from '../../authentication/login.js'
import { BusyError } from '../../authentication/passwords.js'
import { route, type Route } from '../../serving/route.js'
import { type OAuthDeps } from './deps.js'
import { answering, FORM, formOf, json } from './errors.js'

export function providerRoutes({ sessions, identityProviders }: OAuthDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/callback/{provider}',
      summary: 'Back from an identity provider.',
      access: 'public',
      errors: 'text',
      async handle({ params, query, info, signal }) {
        try {
          const subject = await identityProviders.callback(params.provider, query, info, signal)
          return json(200, await sessions.open(subject))
        } catch (error) {
          if (error instanceof LoginError) throw unauthorized(`Unauthorized: ${error.message}`)
          if (error instanceof BusyError) throw unavailable(error.message)
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
      handle: ({ params, body, info, signal }) =>
        answering(async () => {
          const form = formOf(body)
          const [username, password] = [form.get('username') ?? '', form.get('password') ?? '']
          const subject = await identityProviders.login(params.provider, username, password, info, signal)
          return json(200, await sessions.open(subject))
        }),
    }),
  ]
}

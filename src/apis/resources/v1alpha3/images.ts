/** Routes that look into image registries with the pull secrets of a project (resources.md §3.8). */
import { StatusError } from '../../../apimachinery/errors/index.js'
import {
  authEntries,
  type AuthEntry,
  RegistryClient,
  RegistryError,
} from '../../../integrations/registry/client.js'
import { parseReference, parseRepository } from '../../../integrations/registry/reference.js'
import { route, type Route } from '../../../serving/route.js'
import { Type } from '../../../apimachinery/schema/type.js'
import { read, textAt, type KindDefinition } from '../../../listing/kind.js'
import { type KindStores } from '../../../listing/stores.js'

const secretKind: KindDefinition = {
  group: '',
  versions: ['v1'],
  resource: 'secrets',
  singular: 'secret',
  namespaced: true,
}

const FORCE_INSECURE = 'secret.kubesphere.io/force-insecure'
const SECRET_TYPE = 'kubernetes.io/dockerconfigjson'

export function imageRoutes(stores: KindStores): Route[] {
  /** @returns undefined for an anonymous look */
  async function credentials(
    namespace: string,
    name: string | null,
    registry: string,
    signal: AbortSignal,
  ): Promise<AuthEntry | undefined> {
    if (name === null || name === '') return undefined
    await stores.ready(['secrets'], signal)
    const secrets = stores.of(secretKind)
    const cached = secrets.get(namespace, name)
    if (!cached) throw text(404, `secret "${name}" not found`)
    const entries = entriesOf(secrets.object(cached))
    return entries.find((entry) => entry.registry === registry) ?? entries[0]
  }

  return [
    route({
      method: 'POST',
      path: '/namespaces/{namespace}/registrysecrets/{secret}/verify',
      summary: 'Try the credentials of a pull secret, given in the body, at their registry.',
      access: 'authorized',
      body: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
      async handle({ body, signal }) {
        if (textAt(body, 'type') !== SECRET_TYPE)
          throw text(400, `unsupported secret type: ${textAt(body, 'type')}`)
        const [entry] = entriesOf(body)
        if (!entry) throw text(400, 'the secret holds no credentials in .dockerconfigjson')
        try {
          await new RegistryClient(entry.registry, { credentials: entry, plain: entry.plain }).checkLogin(
            signal,
          )
        } catch (error) {
          if (error instanceof RegistryError) throw text(401, error.message, error)
          throw error
        }
        return body
      },
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/imageconfig',
      summary: 'Read the configuration of an image from its registry.',
      access: 'authorized',
      async handle({ params, query, signal }) {
        const image = query.get('image') ?? ''
        const reference = parseReference(image)
        if (!reference) throw text(400, `could not parse reference: ${image}`)
        const entry = await credentials(params.namespace, query.get('secret'), reference.registry, signal)
        return asked(() => client(reference.registry, entry).imageConfig(reference, signal))
      },
    }),
    route({
      method: 'GET',
      path: '/namespaces/{namespace}/repositorytags',
      summary: 'List the tags of a repository, newest name first.',
      access: 'authorized',
      async handle({ params, query, signal }) {
        const name = query.get('repository') ?? ''
        if (name === '') throw text(400, 'empty repository name')
        const place = parseRepository(name)
        if (!place) throw text(400, `could not parse reference: ${name}`)
        const entry = await credentials(params.namespace, query.get('secret'), place.registry, signal)
        const tags = await asked(() => client(place.registry, entry).tags(place.repository, signal))
        return { ...place, tags, total: tags.length }
      },
    }),
  ]
}

function client(registry: string, entry: AuthEntry | undefined): RegistryClient {
  return new RegistryClient(registry, entry ? { credentials: entry, plain: entry.plain } : {})
}

/** Gives the registry's refusals the codes of the contract. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const code = error.message.includes('Unauthorized')
      ? 401
      : error.message.includes('MANIFEST_UNKNOWN')
        ? 404
        : 400
    throw text(code, error.message, error)
  }
}

function entriesOf(secret: unknown): AuthEntry[] {
  const data = Buffer.from(textAt(secret, 'data', '.dockerconfigjson'), 'base64').toString('utf8')
  const plain = read(secret, 'metadata', 'annotations', FORCE_INSECURE) === 'true'
  return (authEntries(data) ?? []).map((entry) => ({ ...entry, plain: entry.plain || plain }))
}

function text(code: number, message: string, cause?: unknown): StatusError {
  return new StatusError({ code, reason: '', message }, cause === undefined ? undefined : { cause })
}

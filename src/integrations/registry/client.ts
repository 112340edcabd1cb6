/**
 * A client of the OCI distribution API: login check, tags and image configuration.
 *
 * Answers are limited in time and size; a registry that asks for a token is given one for exactly what is read.
 */
import { DEFAULT_REGISTRY, type ImageReference } from './reference.js'

export interface Credentials {
  username: string
  password: string
}

export interface RegistryOptions {
  credentials?: Credentials
  /** Plain HTTP. */
  plain?: boolean
}

/** `status` is that of the registry; 0 when it could not be reached. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  constructor(
    readonly status: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

const TIMEOUT_MS = 10_000
const LIMIT_BYTES = 8 * 1024 * 1024
const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

interface Manifest {
  mediaType?: string
  config?: { digest?: string }
  manifests?: { digest: string; platform?: { os?: string; architecture?: string } }[]
}

export class RegistryClient {
  readonly #registry: string
  readonly #options: RegistryOptions
  #authorization: string | undefined

  /** @param registry host and port */
  constructor(registry: string, options: RegistryOptions = {}) {
    this.#registry = registry
    this.#options = options
  }

  /** @throws RegistryError when the credentials are refused or the registry cannot be reached */
  async checkLogin(signal: AbortSignal): Promise<void> {
    await this.#get('/v2/', ['application/json'], signal)
  }

  async tags(repository: string, signal: AbortSignal): Promise<string[]> {
    const answer = (await this.#json(`/v2/${repository}/tags/list`, ['application/json'], signal)) as {
      tags?: string[] | null
    }
    return answer.tags ?? []
  }

  /** The image configuration; of an index, that for linux/amd64. */
  async imageConfig({ repository, identifier }: ImageReference, signal: AbortSignal): Promise<unknown> {
    const read = (name: string): Promise<unknown> =>
      this.#json(`/v2/${repository}/manifests/${name}`, [...MANIFESTS, ...INDEXES], signal)
    let manifest = (await read(identifier)) as Manifest
    if (manifest.manifests) {
      const chosen = manifest.manifests.find(
        ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
      )
      if (!chosen) throw new RegistryError(404, 'MANIFEST_UNKNOWN: no image for linux/amd64')
      manifest = (await read(chosen.digest)) as Manifest
    }
    const digest = manifest.config?.digest
    if (digest === undefined) throw new RegistryError(0, 'the manifest names no configuration')
    return this.#json(`/v2/${repository}/blobs/${digest}`, ['*/*'], signal)
  }

  async #json(path: string, accept: readonly string[], signal: AbortSignal): Promise<unknown> {
    const text = await this.#get(path, accept, signal)
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw new RegistryError(0, 'the registry answered something else than JSON', { cause: error })
    }
  }

  async #get(path: string, accept: readonly string[], signal: AbortSignal): Promise<string> {
    const url = `${this.#options.plain ? 'http' : 'https'}://${this.#registry}${path}`
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    let response = await this.#fetch(url, accept, limit)
    if (response.status === 401 && this.#authorization === undefined) {
      this.#authorization = await this.#answerChallenge(response.headers.get('www-authenticate') ?? '', limit)
      await response.body?.cancel()
      response = await this.#fetch(url, accept, limit)
    }
    const text = await limitedText(response)
    if (response.ok) return text
    if (response.status === 401) throw new RegistryError(401, `Unauthorized: ${errorText(text)}`)
    throw new RegistryError(response.status, `${response.status}: ${errorText(text)}`)
  }

  async #fetch(url: string, accept: readonly string[], signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(url, {
        signal,
        headers: {
          accept: accept.join(', '),
          ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        },
      })
    } catch (error) {
      throw new RegistryError(0, `cannot reach ${this.#registry}: ${reasonOf(error)}`, { cause: error })
    }
  }

  async #answerChallenge(challenge: string, signal: AbortSignal): Promise<string> {
    const { credentials } = this.#options
    const basic =
      credentials &&
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
    if (!/^bearer /i.test(challenge)) return basic ?? ''
    const parameters = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    )
    const realm = parameters.get('realm')
    if (realm === undefined)
      throw new RegistryError(401, 'Unauthorized: the registry asks for a token and names no realm')
    const url = new URL(realm)
    for (const key of ['service', 'scope']) {
      const value = parameters.get(key)
      if (value !== undefined) url.searchParams.set(key, value)
    }
    const response = await fetch(url, {
      signal,
      headers: basic === undefined ? {} : { authorization: basic },
    })
    const text = await limitedText(response)
    if (!response.ok) throw new RegistryError(401, `Unauthorized: ${errorText(text)}`)
    const { token, access_token: accessToken } = JSON.parse(text) as { token?: string; access_token?: string }
    return `Bearer ${token ?? accessToken ?? ''}`
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array
    size += bytes.length
    if (size > LIMIT_BYTES) throw new RegistryError(0, 'the answer of the registry is too large')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `MANIFEST_UNKNOWN: manifest unknown` out of the error document of the specification. */
function errorText(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] }
    const [first] = errors ?? []
    if (first)
      return [first.code, first.message].filter((part) => part !== undefined && part !== '').join(': ')
  } catch {
    // Not the error document.
  }
  return text.slice(0, 200)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Where credentials of a pull secret count, as its data key names it. */
export interface AuthEntry extends Credentials {
  registry: string
  plain: boolean
}

/**
 * The credentials in a `.dockerconfigjson`.
 * @returns undefined when there are none or the text is unreadable
 */
export function authEntries(dockerConfig: string): AuthEntry[] | undefined {
  try {
    const { auths } = JSON.parse(dockerConfig) as {
      auths?: Record<string, { username?: string; password?: string; auth?: string }>
    }
    if (auths === null || typeof auths !== 'object') return undefined
    return Object.entries(auths).map(([key, { username = '', password = '', auth = '' }]) => {
      const [fromAuth = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':')
      const place = /^(?:(https?):\/\/)?([^/]*)/.exec(key)
      const host = place?.[2] ?? ''
      return {
        registry: host === '' ? DEFAULT_REGISTRY : host,
        plain: place?.[1] === 'http',
        username: username || fromAuth,
        password: password || rest.join(':'),
      }
    })
  } catch {
    return undefined
  }
}

/** The few calls that first data needs, on any transport. */
import { StatusError } from '../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../apimachinery/meta/types.js'
import { send, type Transport } from '../client/transport.js'

const NAMES_ONLY =
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1,application/json'

/** How long a collection may be missing after its definition was created, and how often to look. */
const SERVED_WITHIN_MS = 30_000
const LOOK_AGAIN_MS = 25

export class FirstDataApi {
  constructor(
    private readonly transport: Transport,
    private readonly user: UserInfo,
    private readonly signal: AbortSignal,
  ) {}

  /** @returns name → metadata; empty when the collection is not served */
  async list(path: string): Promise<Map<string, KubeObject['metadata']>> {
    const { status, body } = await this.#send('GET', path, undefined, { accept: NAMES_ONLY })
    if (status === 404) return new Map()
    // The genuine server writes null for no items when only metadata are asked for.
    const { items } = read(status, body) as { items?: KubeObject[] | null }
    return new Map((items ?? []).map(({ metadata }) => [metadata.name ?? '', metadata]))
  }

  /**
   * Waits for a collection that is about to be served.
   *
   * @returns false when somebody else has created the object meanwhile
   */
  async create(path: string, object: KubeObject | Uint8Array): Promise<boolean> {
    const bytes = object instanceof Uint8Array ? object : Buffer.from(JSON.stringify(object))
    for (const until = Date.now() + SERVED_WITHIN_MS; ;) {
      const { status, body } = await this.#send('POST', path, bytes, { 'content-type': 'application/json' })
      if (status === 409) return false
      if (status !== 404 || Date.now() > until) {
        read(status, body)
        return true
      }
      await pause(LOOK_AGAIN_MS, this.signal)
    }
  }

  async patch(path: string, patch: unknown): Promise<void> {
    const headers = { 'content-type': 'application/merge-patch+json' }
    const { status, body } = await this.#send('PATCH', path, Buffer.from(JSON.stringify(patch)), headers)
    read(status, body)
  }

  #send(method: string, path: string, body: Uint8Array | undefined, headers: Record<string, string>) {
    const length = body === undefined ? {} : { 'content-length': String(body.byteLength) }
    return send(
      this.transport,
      {
        method,
        path,
        headers: { accept: 'application/json', ...headers, ...length },
        user: this.user,
        ...(body !== undefined && { body }),
      },
      this.signal,
    )
  }
}

function read(status: number, body: Buffer): unknown {
  const value: unknown = JSON.parse(body.toString('utf8'))
  if (status >= 400) throw StatusError.fromStatus(value, status)
  return value
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

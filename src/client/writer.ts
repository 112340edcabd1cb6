/** Writes single objects over any transport. Reading goes through informers. */
import { StatusError } from '../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../apimachinery/meta/types.js'
import { send, type Transport } from './transport.js'

/**
 * The platform itself, where the transport takes our word for who we are. Over sockets the credentials of the
 * kubeconfig count instead.
 */
export const PLATFORM: UserInfo = { name: 'system:platform', groups: ['system:masters'] }

export class ObjectWriter {
  constructor(
    private readonly transport: Transport,
    private readonly user: UserInfo = PLATFORM,
  ) {}

  /**
   * @param collection `/api/v1/namespaces`
   * @throws StatusError what the API answered
   */
  create(collection: string, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    return this.#send('POST', collection, object, 'application/json', signal)
  }

  /** A `metadata.resourceVersion` in the patch makes it fail when the object has changed since. */
  mergePatch(path: string, patch: object, signal?: AbortSignal): Promise<KubeObject> {
    return this.#send('PATCH', path, patch, 'application/merge-patch+json', signal)
  }

  /** An object that is gone already is fine. */
  async delete(path: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#send('DELETE', path, undefined, '', signal)
    } catch (error) {
      if (!(error instanceof StatusError && error.code === 404)) throw error
    }
  }

  async #send(
    method: string,
    path: string,
    body: object | undefined,
    type: string,
    signal: AbortSignal | undefined,
  ): Promise<KubeObject> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const { status, body: answer } = await send(
      this.transport,
      {
        method,
        path,
        headers: {
          accept: 'application/json',
          ...(bytes !== undefined && { 'content-type': type, 'content-length': String(bytes.length) }),
        },
        user: this.user,
        ...(bytes !== undefined && { body: bytes }),
      },
      signal,
    )
    const value: unknown = JSON.parse(answer.toString('utf8'))
    if (status >= 400) throw StatusError.fromStatus(value, status)
    return value as KubeObject
  }
}

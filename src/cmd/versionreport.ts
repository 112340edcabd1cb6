/**
 * The body of `/kapis/version`. Clients read `gitVersion` to learn which release of the original they talk to, so it
 * names the release we are compatible with, and our own as build metadata.
 */
import { send, type Transport } from '../client/transport.js'
import { productVersion } from './version.js'

/** The base release whose recordings we answer alike. */
const COMPATIBLE_WITH = { major: '3', minor: '2', gitVersion: 'v3.2.1' }
const KEEP_MS = 30_000
const TIMEOUT_MS = 2_000

export class VersionReport {
  readonly product = productVersion()
  readonly #transport: Transport
  #kubernetes: { value: unknown; until: number } | undefined

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async read(signal: AbortSignal): Promise<Record<string, unknown>> {
    const kubernetes = await this.#ask(signal)
    return {
      gitVersion: `${COMPATIBLE_WITH.gitVersion}+orrery.${this.product}`,
      gitMajor: COMPATIBLE_WITH.major,
      gitMinor: COMPATIBLE_WITH.minor,
      gitCommit: 'unknown',
      gitTreeState: 'unknown',
      buildDate: 'unknown',
      goVersion: 'none',
      compiler: `node ${process.version}`,
      platform: `${process.platform}/${process.arch}`,
      ...(kubernetes !== undefined && { kubernetes }),
    }
  }

  /** @returns undefined while the Kubernetes API does not answer */
  async #ask(signal: AbortSignal): Promise<unknown> {
    const now = Date.now()
    if (this.#kubernetes && this.#kubernetes.until > now) return this.#kubernetes.value
    try {
      const request = { method: 'GET', path: '/version', headers: { accept: 'application/json' } }
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
      const { status, body } = await send(this.#transport, request, limit)
      const value: unknown = status === 200 ? JSON.parse(body.toString('utf8')) : undefined
      this.#kubernetes = { value, until: now + KEEP_MS }
      return value
    } catch {
      return undefined
    }
  }
}

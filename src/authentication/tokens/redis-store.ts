/**
 * Tokens in Redis, shared by replicas and by servers of the original: the same keys, one per token.
 *
 * While Redis cannot be reached, requests with a token are answered 503; the connection is kept being tried.
 */
import { createRequire } from 'node:module'
import type { Redis } from 'ioredis'
import { unavailable } from '../../apimachinery/errors/index.js'
import { type Logger } from '../../serving/log.js'
import { type TokenStore } from './store.js'

export interface RedisOptions {
  host: string
  port: number
  password?: string
  db?: number
}

const COMMAND_TIMEOUT_MS = 2_000

const keyOf = (user: string, token: string): string => `kubesphere:user:${user}:token:${token}`

export class RedisTokenStore implements TokenStore {
  readonly #redis: Redis
  #reachable = true

  constructor({ host, port, password = '', db = 0 }: RedisOptions, logger: Logger) {
    // 20 MB that only an installation with Redis holds.
    const library = createRequire(import.meta.url)('ioredis') as { Redis: typeof Redis }
    this.#redis = new library.Redis({
      host,
      port: port || 6379,
      ...(password !== '' && { password }),
      db,
      commandTimeout: COMMAND_TIMEOUT_MS,
      maxRetriesPerRequest: 1,
      retryStrategy: (attempt) => Math.min(100 * attempt, 2_000),
    })
    this.#redis.on('error', (error) => {
      if (this.#reachable) logger.error({ host, port, error }, 'token store cannot be reached')
      this.#reachable = false
    })
    this.#redis.on('ready', () => {
      if (!this.#reachable) logger.info({ host, port }, 'token store is back')
      this.#reachable = true
    })
  }

  /** @throws StatusError 503 when Redis does not answer */
  ping(): Promise<string> {
    return this.#ask((redis) => redis.ping())
  }

  async put(user: string, token: string, lifetimeMs: number): Promise<void> {
    await this.#ask((redis) => redis.set(keyOf(user, token), token, 'PX', Math.ceil(lifetimeMs)))
  }

  async has(user: string, token: string): Promise<boolean> {
    return (await this.#ask((redis) => redis.exists(keyOf(user, token)))) === 1
  }

  async delete(user: string, token: string): Promise<boolean> {
    return (await this.#ask((redis) => redis.del(keyOf(user, token)))) === 1
  }

  /** In steps, so that a large keyspace does not block the server as KEYS would. */
  async deleteAll(user: string): Promise<void> {
    const pattern = keyOf(user.replace(/[*?[\]\\^]/g, '\\$&'), '*')
    await this.#ask(async (redis) => {
      let cursor = '0'
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000)
        if (keys.length > 0) await redis.del(...keys)
        cursor = next
      } while (cursor !== '0')
    })
  }

  close(): void {
    this.#redis.disconnect()
  }

  async #ask<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await command(this.#redis)
    } catch (error) {
      throw unavailable('the token store cannot be reached', { cause: error })
    }
  }
}

/** What a channel is given, and what every channel does the same way. */
import { isObject } from '../../apimachinery/json/index.js'
import { type HttpAnswer, type HttpSender, RetryableError } from '../http.js'
import { type Data } from '../message/alerts.js'
import { type Renderer } from '../message/renderer.js'
import { type ChannelSpec, type Credential } from '../objects/types.js'
import { type Egress } from '../egress.js'

export interface Job {
  /** The part of the receiver that is about this channel. */
  spec: ChannelSpec
  /** The part of the config, when one was found. */
  config: Readonly<Record<string, unknown>> | undefined
  /** Of the manager, for this channel: defaults for what the receiver leaves open. */
  options: Readonly<Record<string, unknown>>
  isTenant: boolean
  data: Data
  renderer: Renderer
  /** @throws Error when the secret is not there, or not the owner's */
  credential: (of: unknown) => Promise<string>
  http: HttpSender
  egress: Egress
  tokens: TokenCache
  limits: Limits
  timeoutMs: number
  signal: AbortSignal
}

/** Sends to every target. @throws Error for good, RetryableError for now */
export type Send = (job: Job) => Promise<void>

export interface TokenCache {
  get(key: string, lifetimeMs: number, fetch: () => Promise<string>): Promise<string>
  drop(key: string): void
}

export interface Limits {
  /** Waits for a turn. @throws RetryableError when the wait would be longer than that */
  take(key: string, most: number, perMs: number, longestWaitMs: number): Promise<void>
}

export class MissingConfigError extends Error {
  override readonly name = 'MissingConfigError'
}

/** @throws MissingConfigError */
export function demandConfig({ config }: Job): Readonly<Record<string, unknown>> {
  if (config) return config
  throw new MissingConfigError('ignore receiver because of empty config')
}

/** The receiver's own template, the channel's, the platform's, or the channel's default. */
export function templateOf({ spec, options }: Job, preset: string): string {
  return spec.template || text(options['template']) || preset
}

export async function post(
  job: Job,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  const { http, timeoutMs, isTenant, signal } = job
  return http.send({ url, body, headers, timeoutMs, isTenant, signal })
}

/** The answer of an API that says in JSON how it went. @throws Error unless the status is 200 */
export function jsonOf({ status, text }: HttpAnswer): Record<string, unknown> {
  if (status !== 200) throw new Error(`${status}, ${text.slice(0, 500)}`)
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    throw new Error(`${status}, ${text.slice(0, 500)}`)
  }
}

/** All of them, whatever happens to one; then what went wrong. */
export async function each<T>(targets: readonly T[], send: (target: T) => Promise<void>): Promise<void> {
  const failures: Error[] = []
  for (const target of targets) {
    try {
      await send(target)
    } catch (error) {
      failures.push(error as Error)
    }
  }
  if (failures.length === 0) return
  const message = failures.map((failure) => failure.message).join(',')
  // Only when nobody got it may all of it be sent again.
  if (failures.length === targets.length && failures.every((failure) => failure instanceof RetryableError))
    throw new RetryableError(message)
  throw new Error(message)
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')
export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
export const object = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})
export const hasCredential = (value: unknown): value is Credential =>
  isObject(value) && Object.keys(value).length > 0

/** What a channel is given, and what every channel does the same way. */
import { isObject } from '../../apimachinery/json/index.js'
import { type HttpAnswer, type HttpSender, RetryableError } from '../http.js'
import { type Data } from '../message/alerts.js'
import { type Renderer } from '../message/renderer.js'
import { type ChannelSpec, type Credential } from '../objects/types.js'
import { type Egress } from '../../integrations/egress.js'

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
  progress: Progress
}

/** Of one message: what of it is done, in this attempt or an earlier one. */
export interface Progress {
  /** The same for every attempt, so that who gets a message twice can tell. */
  key: string
  /** By target or part: "", or what went wrong for good. */
  done: Record<string, string>
  save: () => Promise<void>
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

/** Whether a tenant has chosen where it goes: the platform's own account is not the tenant's choice. */
export function isOwnChoice({ isTenant, config }: Job): boolean {
  return isTenant && config?.['owned'] === true
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

/**
 * All of them, whatever happens to one; then what went wrong. When the message is tried again, those that had it, or
 * refused it, are left out.
 * @param nameOf tells the targets of one message apart
 */
export async function each<T>(
  { progress }: Job,
  targets: readonly T[],
  nameOf: (target: T) => string,
  send: (target: T) => Promise<void>,
): Promise<void> {
  const failures: string[] = []
  const passing: RetryableError[] = []
  for (const target of targets) {
    const name = nameOf(target)
    if (progress.done[name] === undefined)
      try {
        await send(target)
        progress.done[name] = ''
      } catch (error) {
        if (error instanceof RetryableError) passing.push(error)
        else progress.done[name] = (error as Error).message
      }
    const failure = progress.done[name]
    if (failure) failures.push(failure)
    if (target !== targets.at(-1)) await progress.save()
  }
  const message = [...failures, ...passing.map((failure) => failure.message)].join(',')
  if (passing.length > 0) throw new RetryableError(message, longest(passing))
  if (message !== '') throw new Error(message)
}

/**
 * One part of several of which the order counts: nothing when an earlier attempt has sent it.
 * @throws what the earlier attempt was told, or this one is
 */
export async function once({ progress }: Job, name: string, send: () => Promise<void>): Promise<void> {
  const earlier = progress.done[name]
  if (earlier === '') return
  if (earlier !== undefined) throw new Error(earlier)
  try {
    await send()
    progress.done[name] = ''
  } catch (error) {
    if (!(error instanceof RetryableError)) progress.done[name] = (error as Error).message
    throw error
  } finally {
    await progress.save()
  }
}

function longest(failures: readonly RetryableError[]): number | undefined {
  const given = failures.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  return given.length > 0 ? Math.max(...given) : undefined
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '')
export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
export const object = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})
export const hasCredential = (value: unknown): value is Credential =>
  isObject(value) && Object.keys(value).length > 0

/** What a provider of SMS is given. */
import { type HttpAnswer } from '../../http.js'
import { isOwnChoice, type Job } from '../channel.js'

export interface SmsJob {
  job: Job
  /** The section of the config that is about this provider. */
  provider: Readonly<Record<string, unknown>>
  numbers: readonly string[]
  message: string
}

export const FORM = 'application/x-www-form-urlencoded'

/** A form is sent as it is signed: as bytes. */
export async function postTo(
  { job }: SmsJob,
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<HttpAnswer> {
  const { http, timeoutMs, signal } = job
  return http.send({ url, body, headers, timeoutMs, signal, isTenant: isOwnChoice(job) })
}

/** As RFC 3986 has it, and as everybody signs it. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Sorted by name. */
export function canonicalQuery(fields: Readonly<Record<string, string>>): string {
  return Object.keys(fields)
    .sort()
    .map((name) => `${percentEncode(name)}=${percentEncode(fields[name] ?? '')}`)
    .join('&')
}

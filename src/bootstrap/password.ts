/** The first password of `admin`. */
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'

/** Documented and therefore known to everybody: good only where nobody else can reach the server. */
export const DOCUMENTED_PASSWORD = 'P@88w0rd'

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (bare === 'localhost') return true
  if (isIP(bare) === 4) return bare.startsWith('127.')
  return bare === '::1' || bare === '0:0:0:0:0:0:0:1' || /^::ffff:127\./.test(bare)
}

/** @param host the address the server listens on; "" and wildcard addresses are everywhere */
export function firstAdminPassword(host: string): string {
  if (isLoopback(host)) return DOCUMENTED_PASSWORD
  // With the three classes that password rules ask for, whatever the random part holds.
  return `Aa1-${randomBytes(12).toString('base64url')}`
}

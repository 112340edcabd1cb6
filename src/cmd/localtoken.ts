/** A token of the platform administrator that needs no login, for commands on the machine of the server. */
import { createHmac } from 'node:crypto'

/** `static_token`s are not looked up in the token store; see core.md §5.5. Valid for a minute. */
export function administratorToken(jwtSecret: string, nowMs = Date.now()): string {
  const seconds = Math.floor(nowMs / 1_000)
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({
    iat: seconds,
    exp: seconds + 60,
    sub: 'admin',
    username: 'admin',
    token_type: 'static_token',
  })}`
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`
}

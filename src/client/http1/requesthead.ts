/** The head of a request as HTTP/1.1 writes it. */
import { announcedLength, checkField, type Fields, type Framing } from '../http/fields.js'

export interface RequestHead {
  method: string
  path: string
  host: string
  fields: Fields
  framing: Framing
}

export function requestHead({ method, path, host, fields, framing }: RequestHead): string {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  const length = announcedLength(method, framing)
  if (length !== undefined) return `${head}content-length: ${length}\r\n\r\n`
  return framing.kind === 'stream' ? `${head}transfer-encoding: chunked\r\n\r\n` : `${head}\r\n`
}

/** Asks to change the protocol. @throws TypeError when its name cannot be sent */
export function upgradeHead(head: Omit<RequestHead, 'framing'>, protocol: string): string {
  checkField('upgrade', protocol)
  const text = requestHead({ ...head, framing: { kind: 'none' } })
  return `${text.slice(0, -2)}connection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n`
}

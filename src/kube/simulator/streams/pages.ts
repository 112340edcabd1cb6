/** What answers on the ports of simulated containers: a page that says that it is simulated. */
import { type Pod } from '../../builtin/types.js'

/** @returns undefined when no container has declared the port, or none of them runs */
export function pageAt(
  { metadata, spec, status }: Readonly<Pod>,
  port: number,
  request: string,
): string | undefined {
  const container = (spec.containers ?? []).find(({ ports = [] }) =>
    (ports as { containerPort: number }[]).some(({ containerPort }) => containerPort === port),
  )
  const runs = status.containerStatuses?.find(({ name }) => name === container?.name)?.state?.running
  if (!container || !runs) return undefined
  return [
    'simulated: no program runs here',
    `request: ${request}`,
    `pod: ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    `container: ${container.name}, image ${container.image ?? ''}, port ${port}`,
    '',
  ].join('\n')
}

const HEAD_LIMIT = 64 * 1024

/** Answers one HTTP request from the bytes of a connection. */
export class PageConnection {
  #head = ''
  #answered = false

  constructor(
    private readonly page: (request: string) => string | undefined,
    private readonly send: (bytes: Buffer) => void,
    private readonly end: () => void,
  ) {}

  receive(bytes: Buffer): void {
    if (this.#answered) return
    this.#head += bytes.toString('latin1')
    const isWhole = this.#head.includes('\r\n\r\n')
    if (!isWhole && this.#head.length < HEAD_LIMIT) return
    this.#answered = true
    const [first = ''] = this.#head.split('\r\n')
    const [, method = '', path = ''] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first) ?? []
    const text = method === '' || !isWhole ? undefined : this.page(`${method} ${path}`)
    const body = Buffer.from(text ?? 'simulated: only HTTP/1.1 is answered here\n')
    const status = text === undefined ? '400 Bad Request' : '200 OK'
    const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close`
    this.send(Buffer.from(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n`))
    if (method !== 'HEAD') this.send(body)
    this.end()
  }
}

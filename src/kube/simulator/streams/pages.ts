/** What answers on the ports of simulated containers: a page that says that it is simulated. */
import { ruleOf } from '../behaviour/images.js'
import { type Rules } from '../rules/index.js'
import { type Pod } from '../../builtin/types.js'

export interface Page {
  type: string
  text: string
}

/** @returns undefined when no container has declared the port, or none of them runs */
export function pageAt(
  { images }: Rules,
  { metadata, spec, status }: Readonly<Pod>,
  port: number,
  request: string,
): Page | undefined {
  const container = (spec.containers ?? []).find(({ ports = [] }) =>
    ports.some(({ containerPort, protocol = 'TCP' }) => containerPort === port && protocol === 'TCP'),
  )
  const runs = status.containerStatuses?.find(({ name }) => name === container?.name)?.state?.running
  if (!container || !runs) return undefined
  const { image = '', command = [], args = [] } = container
  const { type, text } = ruleOf(images(), image, [...command, ...args]).page ?? DEFAULT
  const texts: Record<string, string> = {
    request,
    pod: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    container: container.name,
    image: container.image ?? '',
    port: String(port),
  }
  const isHtml = type.startsWith('text/html')
  return {
    type,
    text: text.replace(/\$\{(\w+)\}/g, (all, name: string) => {
      const value = Object.hasOwn(texts, name) ? (texts[name] ?? '') : all
      // The path is the client's, and may be a link that somebody was made to follow.
      return isHtml ? value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`) : value
    }),
  }
}

/** Of images that say nothing of a page. */
const DEFAULT: Page = {
  type: 'text/plain; charset=utf-8',
  text: [
    'simulated: no program runs here',
    'request: ${request}',
    'pod: ${namespace}/${pod}',
    'container: ${container}, image ${image}, port ${port}',
    '',
  ].join('\n'),
}

const HEAD_LIMIT = 64 * 1024

/** Answers one HTTP request from the bytes of a connection. */
export class PageConnection {
  #head = ''
  #answered = false

  constructor(
    private readonly page: (request: string) => Page | undefined,
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
    const page = method === '' || !isWhole ? undefined : this.page(`${method} ${path}`)
    const body = Buffer.from(page?.text ?? 'simulated: only HTTP/1.1 is answered here\n')
    const status = page === undefined ? '400 Bad Request' : '200 OK'
    const headers = `Content-Type: ${page?.type ?? DEFAULT.type}\r\nContent-Length: ${body.length}\r\nConnection: close`
    this.send(Buffer.from(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n`))
    if (method !== 'HEAD') this.send(body)
    this.end()
  }
}

/** Kubernetes `Status` answers, in the form that the client accepts. */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { stringify } from 'yaml'
import { type StatusError } from '../apimachinery/errors/index.js'
import { send } from './answer.js'
import { statusProtobuf } from './statusprotobuf.js'

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

/** Clients that people read the answers of. */
const PEOPLE = /^(?:curl|Wget|Mozilla\/5\.0)/
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

interface Form {
  type: string
  pretty: boolean
}

/** Answers with a Status. Its text may hold parts of the request, so its type must not be guessed. */
export function sendStatus(request: IncomingMessage, response: ServerResponse, error: StatusError): void {
  const status = error.status()
  const { type, pretty } = statusForm(request)
  const seconds = error.details?.retryAfterSeconds
  const headers = {
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
    ...(seconds !== undefined && { 'Retry-After': String(seconds) }),
  }
  if (type === PROTOBUF_TYPE) send(response, error.code, headers, statusProtobuf(status))
  else if (type === YAML_TYPE) send(response, error.code, headers, stringify(status))
  else if (pretty) send(response, error.code, headers, escapeJson(JSON.stringify(status, null, 2)))
  else send(response, error.code, headers, escapeJson(JSON.stringify(status)) + '\n')
}

/** A type that cannot be produced is answered like no type at all, but for people. */
function statusForm({ headers, url = '' }: IncomingMessage): Form {
  const accept = headers.accept ?? ''
  const asked = /[?&]pretty(?:=([^&]*))?(?:&|$)/.exec(url)
  const pretty = asked ? TRUE.has(asked[1] ?? '') : PEOPLE.test(headers['user-agent'] ?? '')
  if (accept.trim() === '') return { type: JSON_TYPE, pretty }
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim())
    if (type === YAML_TYPE || type === PROTOBUF_TYPE) return { type, pretty }
    if (type === JSON_TYPE || type === '*/*' || type === 'application/*') {
      return { type: JSON_TYPE, pretty: pretty || parameters.includes('pretty=1') }
    }
  }
  return { type: JSON_TYPE, pretty: true }
}

const JSON_ESCAPES: Record<string, string> = { '&': '\\u0026', '<': '\\u003c', '>': '\\u003e' }

function escapeJson(json: string): string {
  return json.replace(/[&<>]/g, (c) => JSON_ESCAPES[c] as string)
}

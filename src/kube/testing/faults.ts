/** What goes wrong in clusters, on demand: for clients only, never for the server's own controllers. */
import { conflict, StatusError, type StatusReason } from '../../apimachinery/errors/index.js'
import { type Filter } from '../server/chain.js'
import { type KubeRequestInfo } from '../server/requestinfo.js'

/** Which requests are meant; all without any. */
export interface FaultTarget {
  /** Plural: `deployments`. */
  resource?: string
  namespace?: string
  name?: string
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  verbs?: readonly string[]
}

export interface Faults {
  /** The next writes of objects that are there answer 409, as if somebody had been faster. */
  conflicts(times: number, target?: FaultTarget): void
  /** The next requests answer this Status: 429, 500, 503. */
  fail(code: number, times: number, target?: FaultTarget): void
  /** Requests take so much longer, in real time, until `clear`. */
  latency(ms: number, target?: FaultTarget): void
  clear(): void
}

interface Planned {
  target: FaultTarget
  left: number
  error: (info: KubeRequestInfo) => StatusError
}

const CHANGES = ['update', 'patch']

export function createFaults(): { faults: Faults; filter: Filter } {
  let planned: Planned[] = []
  let delays: { target: FaultTarget; ms: number }[] = []
  const faults: Faults = {
    conflicts(times, target = {}) {
      const why =
        'the object has been modified; please apply your changes to the latest version and try again'
      const error = ({ apiGroup, resource, name }: KubeRequestInfo): StatusError =>
        conflict({ group: apiGroup, resource }, name, why)
      planned.push({ target: { verbs: CHANGES, ...target }, left: times, error })
    },
    fail(code, times, target = {}) {
      const error = (): StatusError =>
        new StatusError({
          code,
          reason: REASONS[code] ?? 'InternalError',
          message: 'a fault that was asked for',
        })
      planned.push({ target, left: times, error })
    },
    latency: (ms, target = {}) => void delays.push({ target, ms }),
    clear() {
      planned = []
      delays = []
    },
  }
  const filter: Filter = {
    name: 'faults',
    async handle(exchange, next) {
      const { requestInfo: info } = exchange
      const ms = delays.reduce((sum, delay) => sum + (isMeant(delay.target, info) ? delay.ms : 0), 0)
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
      const fault = planned.find(({ target, left }) => left > 0 && isMeant(target, info))
      if (!fault) return next()
      fault.left--
      throw fault.error(info)
    },
  }
  return { faults, filter }
}

const REASONS: Readonly<Record<number, StatusReason>> = {
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function isMeant({ resource, namespace, name, verbs }: FaultTarget, info: KubeRequestInfo): boolean {
  return (
    info.resourceRequest &&
    (resource === undefined || resource === info.resource) &&
    (namespace === undefined || namespace === info.namespace) &&
    (name === undefined || name === info.name) &&
    (verbs === undefined || verbs.includes(info.verb))
  )
}

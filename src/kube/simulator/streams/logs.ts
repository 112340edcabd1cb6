/** `pods/log`: made up from the container's behaviour each time somebody asks; nothing is kept. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { formatTime } from '../../../apimachinery/meta/time.js'
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { type Objects } from '../../objects.js'
import { type Clock } from '../../registry/clock.js'
import { type Exchange } from '../../server/exchange.js'
import { containerMeant, type Meant } from '../containers.js'
import { type ContainerReport } from '../kubelet/status.js'
import { type Rules } from '../rules/index.js'
import { type Line, linesOf } from './lines.js'

export interface LogDeps {
  objects: Objects
  rules: Rules
  pods: Collection<Pod>
  clock: Clock
}

export interface Run {
  startedAt: number
  /** Undefined while it goes on. */
  endedAt: number | undefined
}

export function serveLog(deps: LogDeps, exchange: Exchange, pod: Readonly<Pod>): boolean {
  const { query } = exchange
  const meant = containerMeant(deps, pod, query.get('container'))
  const run = runOf(pod, meant, isOn(query, 'previous'))
  const limits = {
    from: sinceOf(query, deps.clock.now()),
    tail: numberOf(query, 'tailLines'),
    bytes: numberOf(query, 'limitBytes') ?? Infinity,
  }
  const timed = isOn(query, 'timestamps')
  let left = limits.bytes
  const write = ({ at, text }: Line): void => {
    const bytes = Buffer.from(timed ? `${stamp(at)} ${text}` : text)
    if (left > 0) exchange.data(bytes.subarray(0, Math.min(bytes.length, left)))
    left -= bytes.length
  }
  exchange.head(200, { 'content-type': 'text/plain' })
  const follow = isOn(query, 'follow') && run.endedAt === undefined
  const { past, rest } = split(meant, run, deps.clock.now())
  const recent = past.filter(({ at }) => at >= limits.from)
  for (const line of limits.tail === undefined
    ? recent
    : recent.slice(Math.max(0, recent.length - limits.tail))) {
    write(line)
  }
  if (!follow || left <= 0) exchange.end()
  else
    exchange.onEnd(
      followOn(
        deps,
        pod,
        meant,
        rest,
        write,
        () => exchange.end(),
        () => left > 0,
      ),
    )
  return true
}

/** Which run of the container is asked for. @throws StatusError 400 when there is none */
export function runOf(pod: Readonly<Pod>, { container, report }: Meant, previous = false): Run {
  const subject = `container ${JSON.stringify(container.name)} in pod ${JSON.stringify(pod.metadata.name)}`
  const { running, terminated, waiting } = report?.state ?? {}
  const last = report?.lastState?.terminated
  // One that waits to be restarted shows how it went last time.
  const ended = previous ? last : (terminated ?? (running ? undefined : last))
  if (ended)
    return { startedAt: Date.parse(ended.startedAt ?? ''), endedAt: Date.parse(ended.finishedAt ?? '') }
  if (previous) throw badRequest(`previous terminated ${subject} not found`)
  if (running) return { startedAt: Date.parse(running.startedAt ?? ''), endedAt: undefined }
  const pulling = ['ErrImagePull', 'ImagePullBackOff'].includes(waiting?.reason ?? '')
  const why = pulling ? 'trying and failing to pull image' : (waiting?.reason ?? 'ContainerCreating')
  throw badRequest(`${subject} is waiting to start: ${why}`)
}

/** What is printed already, and where it goes on. */
export function split(
  { behaviour }: Meant,
  { startedAt, endedAt }: Run,
  now: number,
): { past: Line[]; rest: { next: Line | undefined; lines: Iterator<Line> } } {
  const until = endedAt === undefined ? now : endedAt + 999 // Times are written without their fraction.
  const lines = linesOf(behaviour.steps(startedAt), startedAt)
  const past: Line[] = []
  for (let step = lines.next(); !step.done; step = lines.next()) {
    if (step.value.at > until) return { past, rest: { next: step.value, lines } }
    past.push(step.value)
  }
  return { past, rest: { next: undefined, lines } }
}

/** Prints on as time comes, until the container stops. @returns stop */
export function followOn(
  { pods, clock }: LogDeps,
  pod: Readonly<Pod>,
  { container }: Meant,
  rest: { next: Line | undefined; lines: Iterator<Line> },
  write: (line: Line) => void,
  end: () => void,
  more: () => boolean = () => true,
): () => void {
  const { namespace = '', name = '', uid } = pod.metadata
  let cancel: () => void = () => undefined
  let next = rest.next
  const print = (): void => {
    cancel()
    for (; next && next.at <= clock.now(); next = nextOf(rest.lines)) write(next)
    if (!more()) return finish()
    if (next) cancel = clock.after(Math.min(next.at - clock.now(), LONGEST_MS), print)
  }
  const stop = pods.onChange(({ object, previous }) => {
    if ((object ?? previous)?.metadata.uid !== uid) return
    const current = object ?? pods.get(namespace, name)
    if (!object || !isRunning(current, container.name)) {
      // What it printed on its way out comes before the end.
      for (; next && next.at <= clock.now(); next = nextOf(rest.lines)) write(next)
      finish()
    }
  })
  const finish = (): void => {
    cancel()
    stop()
    end()
  }
  print()
  return () => {
    cancel()
    stop()
  }
}

const LONGEST_MS = 3_600_000

function nextOf(lines: Iterator<Line>): Line | undefined {
  const step = lines.next()
  return step.done ? undefined : step.value
}

function isRunning(pod: Readonly<Pod> | undefined, name: string): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {}
  const report = [...initContainerStatuses, ...containerStatuses].find((each) => each.name === name)
  return (report as ContainerReport | undefined)?.state?.running !== undefined
}

function isOn(query: URLSearchParams, name: string): boolean {
  return ['true', '1', ''].includes(query.get(name) ?? 'false')
}

/** @throws StatusError 400 */
function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d+$/.test(text))
    throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`)
  return Number(text)
}

function sinceOf(query: URLSearchParams, now: number): number {
  const seconds = numberOf(query, 'sinceSeconds')
  if (seconds !== undefined) return now - seconds * 1000
  const time = query.get('sinceTime')
  if (time === null) return -Infinity
  const ms = Date.parse(time)
  if (Number.isNaN(ms)) throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(time)}`)
  return ms
}

/** With nanoseconds, as container runtimes write it. */
function stamp(at: number): string {
  const date = new Date(at)
  return `${formatTime(date).slice(0, 19)}.${String(at % 1000).padStart(3, '0')}000000Z`
}

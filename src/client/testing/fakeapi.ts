/**
 * A Kubernetes API of one resource for tests of the client: a revisioned map that lists in pages and
 * watches, and that fails on command in the ways servers fail.
 *
 * It answers asynchronously and in chunks of a chosen size, as a socket would.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import {
  type Dispatched,
  type ResponseSink,
  type Transport,
  type TransportRequest,
  type Upgraded,
} from '../transport.js'

interface LogEntry {
  revision: number
  type: string
  object: KubeObject
}

/** An open watch. */
export interface FakeWatch {
  readonly query: URLSearchParams
  readonly open: boolean
  /** Raw bytes, whole lines or not. */
  write(text: string): Promise<void>
  end(): void
  /** The connection is lost. */
  break(): void
}

/** An answer in place of the regular one. */
export interface Fault {
  status?: number
  body?: string
  /** The connection is lost, after the body when there is one. */
  broken?: boolean
}

export class FakeApi implements Transport {
  readonly objects = new Map<string, KubeObject>()
  readonly requests: string[] = []
  readonly watches: FakeWatch[] = []
  /** Taken from the front, one per request that `matches`. */
  readonly faults: { matches: (request: TransportRequest) => boolean; fault: Fault }[] = []
  revision = 100
  /** Watches from below this are answered 410. */
  oldest = 0
  chunkBytes = 1000
  /** Called between the pages of a list. */
  betweenPages: (() => void) | undefined
  #log: LogEntry[] = []
  #live = new Set<(entry: LogEntry) => void>()

  constructor(readonly path = '/api/v1/pods') {}

  put(name: string, more: Record<string, unknown> = {}, namespace = 'default'): void {
    const known = this.objects.get(`${namespace}/${name}`)
    this.revision++
    const object = {
      kind: 'Pod',
      apiVersion: 'v1',
      ...more,
      metadata: {
        name,
        namespace,
        uid: known?.metadata.uid ?? `uid-${this.revision}`,
        resourceVersion: String(this.revision),
        creationTimestamp: '2024-01-01T00:00:00Z',
      },
    }
    this.objects.set(`${namespace}/${name}`, object)
    this.#append({ revision: this.revision, type: known ? 'MODIFIED' : 'ADDED', object })
  }

  delete(name: string, namespace = 'default'): void {
    const known = this.objects.get(`${namespace}/${name}`)
    if (!known) throw new Error(`no object ${name}`)
    this.objects.delete(`${namespace}/${name}`)
    this.revision++
    const metadata = { ...known.metadata, resourceVersion: String(this.revision) }
    this.#append({ revision: this.revision, type: 'DELETED', object: { ...known, metadata } })
  }

  failNext(kind: 'list' | 'watch', fault: Fault, times = 1): void {
    for (let i = 0; i < times; i++) {
      this.faults.push({ matches: ({ path }) => path.includes('watch=1') === (kind === 'watch'), fault })
    }
  }

  count(kind: 'list' | 'watch'): number {
    return this.requests.filter((path) => path.includes('watch=1') === (kind === 'watch')).length
  }

  dispatch(request: TransportRequest, sink: ResponseSink): Dispatched {
    this.requests.push(request.path)
    let aborted = false
    let full = false
    let succeeded = false
    let wake: (() => void) | undefined
    const guarded: Guarded = {
      get aborted() {
        return aborted
      },
      head: (status) => {
        succeeded = status === 200
        if (!aborted) sink.head(status, { 'content-type': 'application/json' })
      },
      write: async (text) => {
        const bytes = Buffer.from(text)
        const size = this.chunkBytes
        for (let i = 0; i < bytes.length; i += size) {
          while (full && !aborted) await new Promise<void>((resolve) => (wake = resolve))
          if (aborted) return
          const chunk = Buffer.from(bytes.subarray(i, i + size))
          full = !sink.data(chunk)
          // Lists and watches are taken in as they come; a view kept of a chunk would show as garbage.
          if (!full && succeeded) chunk.fill(0x21)
          if (i + size < bytes.length) await turn()
        }
      },
      end: () => {
        if (!aborted) sink.end()
        aborted = true
      },
      fail: () => {
        if (!aborted) sink.fail(new Error('socket hang up'))
        aborted = true
      },
    }
    void turn().then(() => this.#serve(request, guarded))
    return {
      abort: () => {
        aborted = true
        wake?.()
      },
      resume: () => {
        full = false
        wake?.()
      },
    }
  }

  upgrade(): Promise<Upgraded> {
    return Promise.reject(new Error('not served here'))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #serve(request: TransportRequest, out: Guarded): Promise<void> {
    const index = this.faults.findIndex(({ matches }) => matches(request))
    const [taken] = index < 0 ? [] : this.faults.splice(index, 1)
    if (taken) {
      const { status, body = '', broken = false } = taken.fault
      if (status !== undefined) {
        out.head(status)
        await out.write(body)
      }
      if (broken || status === undefined) out.fail()
      else out.end()
      return
    }
    const url = new URL(request.path, 'http://api')
    if (url.pathname !== this.path) {
      out.head(404)
      await out.write('404 page not found\n')
      out.end()
    } else if (url.searchParams.get('watch') === '1') await this.#watch(url.searchParams, out)
    else await this.#list(url.searchParams, out)
  }

  async #list(query: URLSearchParams, out: Guarded): Promise<void> {
    const limit = Number(query.get('limit') ?? 0)
    const [at = '', start = ''] = (query.get('continue') ?? `${this.revision}:`).split(':')
    const revision = Number(at)
    const all = [...this.#at(revision)].sort(([left], [right]) => (left < right ? -1 : 1))
    const rest = all.filter(([key]) => key >= start)
    const page = limit > 0 ? rest.slice(0, limit) : rest
    const next = rest[page.length]?.[0]
    out.head(200)
    await out.write(
      JSON.stringify({
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: at, ...(next !== undefined && { continue: `${at}:${next}` }) },
        items: page.map(([, { kind: _kind, apiVersion: _version, ...item }]) => item),
      }),
    )
    out.end()
    if (next !== undefined) this.betweenPages?.()
  }

  /** The map as it was at a revision. */
  #at(revision: number): Map<string, KubeObject> {
    const objects = new Map<string, KubeObject>()
    for (const entry of this.#log) {
      if (entry.revision > revision) break
      const { namespace, name } = entry.object.metadata
      if (entry.type === 'DELETED') objects.delete(`${namespace}/${name}`)
      else objects.set(`${namespace}/${name}`, entry.object)
    }
    return objects
  }

  async #watch(query: URLSearchParams, out: Guarded): Promise<void> {
    const from = Number(query.get('resourceVersion'))
    out.head(200)
    if (from < this.oldest) {
      const message = `too old resource version: ${from} (${this.oldest})`
      await out.write(
        line('ERROR', { kind: 'Status', status: 'Failure', message, reason: 'Expired', code: 410 }),
      )
      out.end()
      return
    }
    let chain = Promise.resolve()
    const write = (text: string): Promise<void> => (chain = chain.then(() => out.write(text)))
    const listener = ({ type, object }: LogEntry): void => void write(line(type, object))
    for (const entry of this.#log) if (entry.revision > from) listener(entry)
    this.#live.add(listener)
    const live = this.#live
    this.watches.push({
      query,
      get open() {
        return !out.aborted && live.has(listener)
      },
      write,
      end: () => {
        live.delete(listener)
        void chain.then(() => out.end())
      },
      break: () => {
        live.delete(listener)
        void chain.then(() => out.fail())
      },
    })
  }

  #append(entry: LogEntry): void {
    this.#log.push(entry)
    for (const listener of this.#live) listener(entry)
  }
}

interface Guarded {
  readonly aborted: boolean
  head(status: number): void
  write(text: string): Promise<void>
  end(): void
  fail(): void
}

export function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`
}

/** Forgets Events an hour after they were last written, as the genuine server's storage does. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Result, type Source } from '../../../controller/index.js'
import { type Objects } from '../../objects.js'
import { type Clock } from '../../registry/clock.js'
import { type Writer } from '../writer.js'

interface StoredEvent extends KubeObject {
  lastTimestamp?: string | null
  eventTime?: string | null
  series?: { lastObservedTime?: string }
}

const TTL_MS = 3_600_000
/** Many go at a time, so that an hour of them is not an hour of timers. */
const SWEEP_MS = 60_000

export class EventExpiryReconciler implements Reconciler {
  constructor(private readonly deps: { objects: Objects; writer: Writer; clock: Clock }) {}

  /** One request, for the sweep over all. */
  readonly source: Source = (enqueue) => {
    enqueue({ namespace: '', name: 'all' })
    return () => undefined
  }

  async reconcile(_request: Request, signal: AbortSignal): Promise<Result> {
    const { objects, writer, clock } = this.deps
    const definition = writer.definition('', 'v1', 'events')
    const now = clock.now()
    let oldest = now
    for (const event of objects.list<StoredEvent>('', 'events')) {
      const written = writtenAt(event)
      const { namespace = '', name = '' } = event.metadata
      if (written + TTL_MS <= now) await writer.delete(definition, namespace, name, {}, signal)
      else oldest = Math.min(oldest, written)
    }
    return { requeueAfter: Math.max(SWEEP_MS, oldest + TTL_MS - now) }
  }
}

function writtenAt({ lastTimestamp, eventTime, series, metadata }: Readonly<StoredEvent>): number {
  const times = [series?.lastObservedTime, lastTimestamp, eventTime, metadata.creationTimestamp]
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time)))
}

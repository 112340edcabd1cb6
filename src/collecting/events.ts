/**
 * Follows the Events of the Kubernetes API: each one as it appears, and again whenever it is counted up.
 *
 * Events that were there before this process are collected once more only if they are newer than what is stored.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Change, type InformerSet } from '../client/cache/interface.js'
import { type JsonDocument, type RecordStore } from '../integrations/records/interface.js'
import { type RecordBatches } from './batches.js'

const EVENTS = { group: '', version: 'v1', resource: 'events' }
const EVERYTHING = { readable: 'everything', where: [] } as const

export interface EventCollectorDeps {
  informers: Pick<InformerSet, 'informer'>
  store: Pick<RecordStore, 'page'>
  batches: RecordBatches
}

/** @returns stop */
export function collectEvents({ informers, store, batches }: EventCollectorDeps): () => void {
  const informer = informers.informer(EVENTS)
  const take = ({ type, object }: Pick<Change, 'type' | 'object'>): void => {
    if (type !== 'deleted') batches.add(storedEvent(informer.store.object(object)))
  }
  let isStopped = false
  let stop = (): void => undefined

  async function begin(): Promise<void> {
    await informer.whenSynced()
    if (isStopped) return
    // From here on all changes are taken, and those so far are compared with what is stored.
    const before = [...informer.store.byCreation()]
    stop = informer.onChange(take)
    if (before.length === 0) return
    const newest = await newestStored(store)
    for (const object of before) {
      const document = storedEvent(informer.store.object(object))
      if (Date.parse(String(document['lastTimestamp'])) > newest) batches.add(document)
    }
  }
  void begin().catch(() => undefined) // Closed before it was read, or the store is: nothing to collect for.
  return () => {
    isStopped = true
    stop()
  }
}

async function newestStored(store: Pick<RecordStore, 'page'>): Promise<number> {
  const { documents } = await store.page(EVERYTHING, { offset: 0, limit: 1, order: 'desc' })
  return documents[0] ? Date.parse(String(documents[0]['lastTimestamp'])) : -Infinity
}

/** As the exporter of Events writes them. Those that only have the newer fields get a time to be found by. */
export function storedEvent(event: Readonly<KubeObject>): JsonDocument {
  const { metadata, ...rest } = event as Readonly<KubeObject> & JsonDocument
  const { managedFields: _, ...kept } = metadata as JsonDocument
  const series = rest['series'] as { lastObservedTime?: unknown } | null | undefined
  const lastTimestamp =
    rest['lastTimestamp'] ??
    series?.lastObservedTime ??
    rest['eventTime'] ??
    rest['firstTimestamp'] ??
    metadata.creationTimestamp
  return { metadata: kept, ...rest, lastTimestamp }
}

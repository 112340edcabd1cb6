/**
 * Makes alerts of Events that rules are about, so that somebody is told where there is no Prometheus: a container that
 * starts again and again, an image that is not there, a volume that cannot be mounted.
 *
 * Events of before this process are not looked at. What has been told is told again after an hour, if it still happens.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type InformerSet } from '../client/cache/interface.js'
import { filledIn } from './fields.js'
import { type EventRule, type EventRuleBook } from './rulebook.js'

const EVENTS = { group: '', version: 'v1', resource: 'events' }
const REPEAT_MS = 3_600_000
const MOST_REMEMBERED = 10_000
/** Of cluster-scoped objects are the Events here. */
const OF_NO_NAMESPACE = 'default'

/** As the webhook of Alertmanager has them. */
export interface EventAlert {
  [field: string]: unknown
  status: 'firing'
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
}

type Event = Readonly<KubeObject> & {
  involvedObject?: { kind?: string; namespace?: string; name?: string; fieldPath?: string }
  firstTimestamp?: string | null
  eventTime?: string | null
}

export interface EventRulerDeps {
  informers: Pick<InformerSet, 'informer'>
  rules: EventRuleBook
  /** Must not wait. */
  tell: (alert: EventAlert) => void
  now: () => number
}

/** @returns stop */
export function watchEvents({ informers, rules, tell, now }: EventRulerDeps): () => void {
  const informer = informers.informer(EVENTS)
  const told = new Told(now)
  let isStopped = false
  let stop = (): void => undefined

  function look(event: Event): void {
    const namespace = namespaceOf(event)
    for (const rule of rules.concerning(namespace)) {
      if (!rule.matches(event)) continue
      const alert = alertOf(rule, event, namespace)
      if (told.isNew(alert.labels)) tell(alert)
    }
  }

  async function begin(): Promise<void> {
    await Promise.all([informer.whenSynced(), rules.whenSynced()])
    if (isStopped) return
    stop = informer.onChange(({ type, object }) => {
      if (type !== 'deleted') look(informer.store.object<Event>(object))
    })
  }
  void begin().catch(() => undefined) // Closed before it was read.
  return () => {
    isStopped = true
    stop()
  }
}

/** Not what the Event says of itself: whoever may write Events in one project is not believed about another. */
function namespaceOf({ metadata, involvedObject }: Event): string {
  const namespace = metadata.namespace ?? ''
  return namespace === OF_NO_NAMESPACE && !involvedObject?.namespace ? '' : namespace
}

function alertOf(rule: EventRule, event: Event, namespace: string): EventAlert {
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject ?? {}
  const container = /^spec\.(?:init|ephemeral)?containers\{(.+)\}$/i.exec(fieldPath)?.[1]
  const about = kind.toLowerCase()
  return {
    status: 'firing',
    labels: {
      ...rule.labels,
      ...(/^[a-z][a-z0-9]*$/.test(about) && { [about]: name }),
      ...(container !== undefined && { container }),
      // Last: these say who is told.
      alertname: rule.name,
      alerttype: 'event',
      ...(namespace !== '' && { namespace }),
    },
    annotations: Object.fromEntries(
      Object.entries(rule.annotations).map(([key, text]) => [key, filledIn(text, event)]),
    ),
    startsAt: event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '',
  }
}

class Told {
  /** Labels → when, the latest last. */
  readonly #at = new Map<string, number>()

  constructor(private readonly now: () => number) {}

  isNew(labels: Readonly<Record<string, string>>): boolean {
    const key = JSON.stringify(Object.entries(labels).sort())
    const now = this.now()
    if (now - (this.#at.get(key) ?? -Infinity) < REPEAT_MS) return false
    this.#at.delete(key)
    this.#at.set(key, now)
    const [oldest] = this.#at.keys()
    if (this.#at.size > MOST_REMEMBERED && oldest !== undefined) this.#at.delete(oldest)
    return true
  }
}

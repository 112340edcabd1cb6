/**
 * Who watches which keys, and the delivery of commits to them.
 *
 * Watchers are grouped by prefix. For an event only the groups that can match are looked up: a prefix is filed
 * under its directory (up to its last slash) with its length, so a key with six slashes costs a handful of map
 * lookups, no matter how many watchers there are. Watchers of one prefix share one array per commit.
 *
 * A watcher that throws is ended with its error and logged; the others do not notice.
 */
import { type StorageEvent, type StorageWatch, type StorageWatcher } from './interface.js'

interface Group {
  readonly prefix: string
  readonly members: Set<Member>
  batch: StorageEvent[]
}

interface Member {
  readonly watcher: StorageWatcher
  /** Events up to this revision are delivered, or not wanted. */
  delivered: number
  /** Events of before the watch began, until they are delivered. */
  backlog: readonly StorageEvent[] | undefined
  closed: boolean
}

export class Watchers {
  readonly #groups = new Map<string, Group>()
  /** Directory to the lengths of the prefixes filed under it, with the number of groups of that length. */
  readonly #lengths = new Map<string, Map<number, number>>()

  constructor(private readonly onFailure: (error: unknown) => void) {}

  /**
   * Adds a watcher. The backlog is delivered in a microtask, or before the next commit if that is earlier, so
   * never before this returns.
   *
   * @param delivered newest revision that the backlog covers
   */
  add(
    prefix: string,
    delivered: number,
    backlog: readonly StorageEvent[],
    watcher: StorageWatcher,
  ): StorageWatch {
    const member: Member = { watcher, delivered, backlog, closed: false }
    const group = this.#groups.get(prefix) ?? this.#open(prefix)
    group.members.add(member)
    if (backlog.length > 0) queueMicrotask(() => this.#deliver(group, member, []))
    return { close: () => this.#drop(group, member) }
  }

  /** Delivers one commit: events in revision order. */
  dispatch(events: readonly StorageEvent[]): void {
    const touched: Group[] = []
    for (const event of events) {
      this.#match(event.key, (group) => {
        if (group.batch.length === 0) touched.push(group)
        group.batch.push(event)
      })
    }
    for (const group of touched) {
      const batch = group.batch
      group.batch = []
      for (const member of group.members) this.#deliver(group, member, batch)
    }
  }

  /** Ends all watches. */
  end(error?: Error): void {
    for (const group of [...this.#groups.values()]) {
      for (const member of [...group.members]) this.#end(group, member, error)
    }
  }

  #deliver(group: Group, member: Member, batch: readonly StorageEvent[]): void {
    const { backlog } = member
    member.backlog = undefined
    try {
      if (backlog && backlog.length > 0 && !member.closed) member.watcher.events(backlog)
      // A watch that began during this dispatch, or wants only a later revision, has nothing or less to get.
      const first = batch[0]
      const fresh =
        first && first.revision <= member.delivered
          ? batch.filter(({ revision }) => revision > member.delivered)
          : batch
      if (fresh.length > 0 && !member.closed) member.watcher.events(fresh)
    } catch (error) {
      this.onFailure(error)
      this.#end(group, member, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #end(group: Group, member: Member, error?: Error): void {
    if (member.closed) return
    this.#drop(group, member)
    try {
      member.watcher.ended(error)
    } catch (failure) {
      this.onFailure(failure)
    }
  }

  #match(key: string, visit: (group: Group) => void): void {
    for (let end = 0; ;) {
      const lengths = this.#lengths.get(key.slice(0, end))
      if (lengths) {
        for (const length of lengths.keys()) {
          const group = length <= key.length ? this.#groups.get(key.slice(0, length)) : undefined
          // A prefix that ends in a slash has the length of others here and its place one directory below.
          if (group && directoryOf(group.prefix).length === end) visit(group)
        }
      }
      const slash = key.indexOf('/', end)
      if (slash < 0) return
      end = slash + 1
    }
  }

  #open(prefix: string): Group {
    const group: Group = { prefix, members: new Set(), batch: [] }
    this.#groups.set(prefix, group)
    const directory = directoryOf(prefix)
    const lengths = this.#lengths.get(directory) ?? new Map<number, number>()
    lengths.set(prefix.length, (lengths.get(prefix.length) ?? 0) + 1)
    this.#lengths.set(directory, lengths)
    return group
  }

  #drop(group: Group, member: Member): void {
    member.closed = true
    member.backlog = undefined
    group.members.delete(member)
    if (group.members.size > 0 || this.#groups.get(group.prefix) !== group) return
    this.#groups.delete(group.prefix)
    const directory = directoryOf(group.prefix)
    const lengths = this.#lengths.get(directory)!
    const left = lengths.get(group.prefix.length)! - 1
    if (left > 0) lengths.set(group.prefix.length, left)
    else lengths.delete(group.prefix.length)
    if (lengths.size === 0) this.#lengths.delete(directory)
  }
}

function directoryOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1)
}

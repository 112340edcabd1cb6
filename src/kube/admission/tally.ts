/**
 * What the objects of one resource in one namespace take of a quota, kept up to date as they come and go: asking costs
 * the same for ten objects and for ten thousand. A write is counted before its writer hears of it.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { add, type Amounts, subtract } from '../../tenancy/quota/amounts.js'
import { type Objects } from '../objects.js'
import { parse } from '../registry/served.js'

export class Tally {
  #total: Amounts = new Map()
  readonly #each = new Map<string, Amounts>()
  /** Objects on their way out: what they take changes with the time. */
  readonly #ending = new Map<string, Buffer>()
  readonly #stop: () => void

  /** @param amountsOf what one object takes; nothing when it does not count */
  constructor(
    objects: Objects,
    prefix: string,
    private readonly amountsOf: (object: Readonly<KubeObject>, now: number) => Amounts,
  ) {
    // What is there already comes before this returns.
    this.#stop = objects.followEntries(prefix, ({ type, key, value }) => {
      this.#ending.delete(key)
      if (type === 'delete') this.#set(key, undefined)
      else this.#count(key, value, 0)
    })
  }

  total(now: number): Amounts {
    for (const [key, value] of this.#ending) this.#count(key, value, now)
    return this.#total
  }

  close(): void {
    this.#stop()
  }

  #count(key: string, value: Buffer, now: number): void {
    const object = parse(value)
    if (object.metadata.deletionTimestamp !== undefined) this.#ending.set(key, value)
    this.#set(key, this.amountsOf(object, now))
  }

  #set(key: string, amounts: Amounts | undefined): void {
    const before = this.#each.get(key)
    if (before) this.#total = subtract(this.#total, before)
    if (!amounts || amounts.size === 0) {
      this.#each.delete(key)
      return
    }
    this.#total = add(this.#total, amounts)
    this.#each.set(key, amounts)
  }
}

/** The tallies of all namespaces that have quotas, by what they are of. */
export class Tallies {
  readonly #byNamespace = new Map<string, Map<string, Tally>>()

  of(namespace: string, what: string, make: () => Tally): Tally {
    let tallies = this.#byNamespace.get(namespace)
    if (!tallies) this.#byNamespace.set(namespace, (tallies = new Map<string, Tally>()))
    let tally = tallies.get(what)
    if (!tally) tallies.set(what, (tally = make()))
    return tally
  }

  /** Stops counting a namespace. */
  forget(namespace: string): void {
    for (const tally of this.#byNamespace.get(namespace)?.values() ?? []) tally.close()
    this.#byNamespace.delete(namespace)
  }

  close(): void {
    for (const namespace of [...this.#byNamespace.keys()]) this.forget(namespace)
  }
}

/**
 * Which quotas of workspaces are about a namespace, found by the namespace's labels rather than by asking every quota.
 */
import { type CachedResource } from '../../client/cachedresource.js'
import { type WorkspaceQuotaObject } from '../types.js'
import { selectsNamespace } from './quotas.js'

type Labels = Readonly<Record<string, string>>

export class QuotaSelectors {
  readonly #selectors = new Map<string, Labels>()
  /** A pair that namespaces must have → the quotas that are found by it. */
  readonly #byPair = new Map<string, Set<string>>()
  /** Quotas without a selector: of every namespace, but found from none. */
  readonly #unselective = new Set<string>()

  set(name: string, selector: Labels = {}): void {
    this.delete(name)
    this.#selectors.set(name, selector)
    const pair = firstPair(selector)
    if (pair === undefined) this.#unselective.add(name)
    else this.#byPair.set(pair, (this.#byPair.get(pair) ?? new Set()).add(name))
  }

  delete(name: string): void {
    const pair = firstPair(this.#selectors.get(name) ?? {})
    this.#selectors.delete(name)
    this.#unselective.delete(name)
    if (pair === undefined) return
    const names = this.#byPair.get(pair)
    names?.delete(name)
    if (names?.size === 0) this.#byPair.delete(pair)
  }

  /** Names of the quotas that select a namespace with these labels. */
  *matching(labels: Labels): Iterable<string> {
    for (const [key, value] of Object.entries(labels))
      for (const name of this.#byPair.get(pairOf(key, value)) ?? [])
        if (selectsNamespace(this.#selectors.get(name), labels)) yield name
  }

  get unselective(): Iterable<string> {
    return this.#unselective
  }
}

/** Selectors that follow the quotas there are. */
export function selectorsOf(quotas: CachedResource<WorkspaceQuotaObject>): QuotaSelectors {
  const selectors = new QuotaSelectors()
  for (const { metadata, spec } of quotas.list()) selectors.set(metadata.name ?? '', spec?.selector)
  quotas.informer.onChange(({ type, object }) => {
    if (type === 'deleted') selectors.delete(object.name)
    else selectors.set(object.name, quotas.object(object).spec?.selector)
  })
  return selectors
}

const pairOf = (key: string, value: string): string => `${key}=${value}`

function firstPair(selector: Labels): string | undefined {
  const [first] = Object.entries(selector)
  return first && pairOf(...first)
}

/**
 * Finds the objects of a resource by names that they mention in their bodies, which no label index knows: the
 * bindings of a user, the users of a group. Kept up to date with the cache.
 */
import { eachOf, type Few, withOne, withoutOne } from '../apimachinery/few/index.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type CachedObject } from '../client/cache/interface.js'
import { type CachedResource } from '../client/cachedresource.js'

export class Mentions<T extends KubeObject> {
  readonly #objects = new Map<string, Few<string>>()
  readonly #names = new Map<string, readonly string[]>()

  /**
   * @param mentionedIn the names in an object; it is read once per change
   * @param text objects that do not contain it mention nobody, and need not be read
   */
  constructor(
    readonly resource: CachedResource<T>,
    private readonly mentionedIn: (object: Readonly<T>) => Iterable<string>,
    private readonly text = '',
  ) {
    const { informer } = resource
    for (const cached of informer.store.byName()) this.#set(cached)
    informer.onChange(({ type, object }) => {
      this.#forget(keyOf(object))
      if (type !== 'deleted') this.#set(object)
    })
  }

  /** Objects that mention the name, as they are now; in no order. */
  of(name: string): Readonly<T>[] {
    const found: Readonly<T>[] = []
    for (const key of eachOf(this.#objects.get(name))) {
      const slash = key.indexOf('/')
      const object = this.resource.get(key.slice(slash + 1), key.slice(0, slash))
      if (object) found.push(object)
    }
    return found
  }

  /** What the object mentioned when it was last seen. */
  in({ namespace = '', name = '' }: { namespace?: string; name?: string }): readonly string[] {
    return this.#names.get(`${namespace}/${name}`) ?? []
  }

  /** Everything that mentions anybody. */
  *all(): Iterable<{ namespace: string; name: string }> {
    for (const key of this.#names.keys()) {
      const slash = key.indexOf('/')
      yield { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
    }
  }

  #set(cached: CachedObject<never>): void {
    if (this.text !== '' && !cached.bytes.includes(this.text)) return
    const names = [...new Set(this.mentionedIn(this.resource.object(cached)))]
    if (names.length === 0) return
    const key = keyOf(cached)
    this.#names.set(key, names)
    for (const name of names) this.#objects.set(name, withOne(this.#objects.get(name), key))
  }

  #forget(key: string): void {
    for (const name of this.#names.get(key) ?? []) {
      const left = withoutOne(this.#objects.get(name), key)
      if (left !== undefined) this.#objects.set(name, left)
      else this.#objects.delete(name)
    }
    this.#names.delete(key)
  }
}

function keyOf({ namespace, name }: Pick<CachedObject, 'namespace' | 'name'>): string {
  // Joined, it is one text at once; a template would keep the steps beside it.
  return [namespace, name].join('/')
}

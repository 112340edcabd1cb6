/** The filters every kind has (resources.md §2.3). */
import { own } from '../apimachinery/json/value.js'
import { parseSelector, type Selector } from '../apimachinery/labels/index.js'
import { type CachedObject } from '../client/cache/interface.js'
import { legacyFilter } from './kinds/fallback.js'
import {
  listAt,
  textAt,
  type AnyKind,
  type Filter,
  type FilterPlan,
  type ListScope,
  type Source,
} from './kind.js'

export const ALIAS = 'kubesphere.io/alias-name'

type AnyFilter = Filter<never>
type Cached = CachedObject<never>

const NOTHING: FilterPlan<never> = { matches: () => false, candidates: [], isSettled: true }

/**
 * @param source where the objects come from, if not from the store: what it annotates them with is filtered by, too
 * @returns the plan of one filter; an unknown key matches nothing unless the kind says otherwise
 */
export function planFilter(
  kind: AnyKind,
  key: string,
  value: string,
  scope: ListScope<never>,
  source?: Source<never>,
): FilterPlan<never> {
  if (kind.legacy) return (legacyFilter(key) as unknown as AnyFilter)(value, scope)
  const special = kind.filters && own(kind.filters, key)
  if (special) return special(value, scope)
  if (kind.unknownFiltersPass) {
    const common = key === 'name' || key === 'names' ? COMMON[key] : undefined
    return common ? common(value, scope) : { matches: () => true }
  }
  if (key === 'annotation') return annotationFilter(kind, value, scope, source)
  return own(COMMON, key)?.(value, scope) ?? NOTHING
}

const COMMON: Readonly<Record<string, AnyFilter>> = {
  names(value, { store, namespace }) {
    const names = new Set(value.split(','))
    const matches = ({ name }: Cached): boolean => names.has(name)
    if (namespace === undefined) return { matches, isSettled: true }
    return {
      matches,
      candidates: [...names].flatMap((name) => store.get(namespace, name) ?? []),
    }
  },
  name(value, { store, namespace }) {
    const matches = ({ name }: Cached): boolean => name.includes(value)
    if (value === '') return { matches }
    // Only searched for where no order of the same is kept.
    const candidates = {
      [Symbol.iterator]: () => store.withNameContaining(value, namespace)[Symbol.iterator](),
    }
    return { matches, candidates, isSettled: true }
  },
  alias(value, { store }) {
    return whenBytesHold(value, (object) =>
      textAt(store.object(object), 'metadata', 'annotations', ALIAS).includes(value),
    )
  },
  uid(value, { store }) {
    const found = store.byUid(value)
    return {
      matches: (object) => object === found,
      ...(value !== '' && { candidates: found ? [found] : [] }),
    }
  },
  namespace(value, { store }) {
    const matches = ({ namespace }: Cached): boolean => namespace === value
    return value === '' ? { matches } : { matches, candidates: store.byName(value) }
  },
  ownerReference(value, { store }) {
    return whenBytesHold(value, (object) =>
      owners(store.object(object)).some((owner) => textAt(owner, 'uid') === value),
    )
  },
  ownerKind(value, { store }) {
    return whenBytesHold(value, (object) =>
      owners(store.object(object)).some((owner) => textAt(owner, 'kind') === value),
    )
  },
  label(value) {
    const accepts = mapFilter(value)
    return { matches: ({ labels }) => accepts(labels), isSettled: true }
  },
}

function owners(object: unknown): unknown[] {
  return listAt(object, 'metadata', 'ownerReferences')
}

/**
 * Values that are not in any index are looked for in the raw bytes first: parsing every object of a large
 * collection would cost a hundred times as much.
 */
function whenBytesHold(value: string, confirm: (object: Cached) => boolean): FilterPlan<never> {
  const needle = Buffer.from(JSON.stringify(value).slice(1, -1))
  return {
    matches: (object) => (needle.length === 0 || object.bytes.includes(needle)) && confirm(object),
    isSettled: true,
  }
}

function annotationFilter(
  kind: AnyKind,
  value: string,
  { store, stores }: ListScope<never>,
  source: Source<never> | undefined,
): FilterPlan<never> {
  const accepts = mapFilter(value)
  const of = (object: Cached): Record<string, string> => ({
    ...store.object(object).metadata.annotations,
    ...kind.annotations?.(object, stores, false),
    ...source?.annotate?.(object),
  })
  // Only a filter that needs the key can use the bytes as a sieve, and only on stored annotations.
  const key = /^[\w./-]+/.exec(value)?.[0] ?? ''
  if (kind.annotations || source?.annotate || key === '' || value.includes(','))
    return { matches: (object) => accepts(of(object)) }
  return whenBytesHold(key, (object) => accepts(of(object)))
}

/**
 * `k` and `k=*`: present; `k=v`: equal; `k!=v`: present and different. Anything with the syntax of a full selector
 * (commas, `in`, `!k`) is read as one; what does not parse matches nothing.
 */
function mapFilter(value: string): (map: Readonly<Record<string, string>>) => boolean {
  if (!value.includes(',') && !/\s(in|notin)\s*\(/.test(value) && !value.startsWith('!')) {
    const unequal = /^([^!=]+)!=(.*)$/s.exec(value)
    if (unequal) {
      const [, key = '', unwanted = ''] = unequal
      return (map) => ![undefined, unwanted].includes(own(map, key))
    }
    const position = value.indexOf('=')
    if (position === -1) return (map) => own(map, value) !== undefined
    const key = value.slice(0, position)
    const wanted = value.slice(position + 1)
    return (map) => own(map, key) === wanted || (wanted === '*' && own(map, key) !== undefined)
  }
  let selector: Selector
  try {
    selector = parseSelector(value)
  } catch {
    return () => false
  }
  return (map) => selector.matches(map)
}

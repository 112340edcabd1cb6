/**
 * Which rules concern an Event. Rules are about the Events of their own namespace; those in a namespace of the platform
 * itself may say that they are about all of the cluster, or of one workspace. Nobody else's may: what a rule finds it tells.
 */
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type InformerSet, type Store } from '../client/cache/interface.js'
import { type Logger } from '../client/log.js'
import { SYSTEM_WORKSPACE, WORKSPACE } from '../tenancy/names.js'
import { type Condition, parseCondition } from './condition.js'

export const RULES = { group: 'events.kubesphere.io', version: 'v1alpha1', resource: 'rules' }
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const SCOPE = 'kubesphere.io/rule-scope'
/** An object of this name in a namespace of the platform takes the place of the rules that ship. */
export const DEFAULT_RULES = 'cluster-rules-default'

/** As it is written in an object, or in the file that ships. */
export interface WrittenRule {
  name?: string
  condition?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  enable?: boolean
}

export interface EventRule {
  name: string
  matches: Condition
  labels: Readonly<Record<string, string>>
  annotations: Readonly<Record<string, string>>
}

interface Book {
  cluster: EventRule[]
  workspaces: Map<string, EventRule[]>
  namespaces: Map<string, EventRule[]>
}

export interface RuleBookDeps {
  informers: Pick<InformerSet, 'informer'>
  /** Those that ship. */
  defaults: readonly WrittenRule[]
  logger: Logger
}

export class EventRuleBook {
  readonly #deps: RuleBookDeps
  readonly #rules: Store
  readonly #namespaces: Store
  readonly #synced: Promise<unknown>
  readonly #stops: (() => void)[]
  #book: Book | undefined
  broken = 0

  constructor(deps: RuleBookDeps) {
    this.#deps = deps
    const rules = deps.informers.informer(RULES)
    const namespaces = deps.informers.informer(NAMESPACES)
    this.#rules = rules.store
    this.#namespaces = namespaces.store
    this.#synced = Promise.all([rules.whenSynced(), namespaces.whenSynced()])
    const reread = (): void => (this.#book = undefined)
    this.#stops = [
      rules.onChange(reread),
      namespaces.onChange(({ object, previous }) => {
        const isMoved = object.labels[WORKSPACE] !== previous?.labels[WORKSPACE]
        if (isMoved && rules.store.sizeOf(object.name) > 0) reread()
      }),
    ]
  }

  whenSynced(): Promise<unknown> {
    return this.#synced
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  /** @param namespace "" for Events of what is in none */
  concerning(namespace: string): readonly EventRule[] {
    const book = (this.#book ??= this.#read())
    if (namespace === '') return book.cluster
    const workspace = this.#workspaceOf(namespace)
    return [
      ...book.cluster,
      ...(book.namespaces.get(namespace) ?? []),
      ...((workspace !== undefined && book.workspaces.get(workspace)) || []),
    ]
  }

  #workspaceOf(namespace: string): string | undefined {
    return this.#namespaces.get('', namespace)?.labels[WORKSPACE]
  }

  #read(): Book {
    const book: Book = { cluster: [], workspaces: new Map(), namespaces: new Map() }
    this.broken = 0
    let hasDefaults = false
    for (const cached of this.#rules.byName()) {
      const { namespace, name, labels } = cached
      const object = this.#rules.object<KubeObject & { spec?: { rules?: WrittenRule[] } }>(cached)
      const rules = this.#compiled(object.spec?.rules ?? [], `${namespace}/${name}`)
      const isPlatforms = this.#workspaceOf(namespace) === SYSTEM_WORKSPACE
      if (isPlatforms && name === DEFAULT_RULES) hasDefaults = true
      const workspace = labels[WORKSPACE]
      if (isPlatforms && labels[SCOPE] === 'cluster') book.cluster.push(...rules)
      else if (isPlatforms && labels[SCOPE] === 'workspace' && workspace)
        book.workspaces.set(workspace, [...(book.workspaces.get(workspace) ?? []), ...rules])
      else book.namespaces.set(namespace, [...(book.namespaces.get(namespace) ?? []), ...rules])
    }
    if (!hasDefaults) book.cluster.push(...this.#compiled(this.#deps.defaults, DEFAULT_RULES))
    return book
  }

  #compiled(rules: readonly WrittenRule[], where: string): EventRule[] {
    return rules.flatMap(({ name = '', condition = '', labels = {}, annotations = {}, enable }) => {
      if (enable !== true) return []
      try {
        return [{ name, matches: parseCondition(condition), labels, annotations }]
      } catch (error) {
        this.broken++
        this.#deps.logger.warn(
          { rule: name, of: where, err: error },
          'a rule for Events cannot be understood',
        )
        return []
      }
    })
  }
}

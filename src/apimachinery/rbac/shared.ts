/**
 * One compiled form for all roles that say the same: every namespace has a copy of the same few roles, so that there
 * are thousands of objects and a dozen different texts. Forms that no role has any more are let go.
 */
import { createHash } from 'node:crypto'
import { type PolicyRule } from './index.js'

export class SharedByRules<Compiled extends object> {
  readonly #known = new Map<string, WeakRef<Compiled>>()
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key)
  })

  /** @param compile makes a form that nobody changes afterwards */
  constructor(private readonly compile: (rules: readonly PolicyRule[]) => Compiled) {}

  of(rules: readonly PolicyRule[]): Compiled {
    // Two roles taken for the same by mistake would be a hole: no hash that can be made to collide.
    const key = createHash('sha256').update(JSON.stringify(rules)).digest('base64')
    const known = this.#known.get(key)?.deref()
    if (known !== undefined) return known
    const made = this.compile(rules)
    this.#known.set(key, new WeakRef(made))
    this.#gone.register(made, key)
    return made
  }
}

/**
 * Changes of custom rules.
 *
 * A change is worked out on what is stored right now, and worked out again when somebody else was faster. Changes of
 * one namespace wait for each other, so that a name is not given twice.
 */
import { badRequest, isConflict, isNotFound, StatusError } from '../apimachinery/errors/index.js'
import { type CachedResource } from '../client/cachedresource.js'
import { afterConflict, TRIES } from '../client/conflicts.js'
import { type CustomRules, levelOf, namespaceOf, ruleNotFound, type Scope } from './customrules.js'
import { InTurn } from './inturn.js'
import { ALERT_TYPE, OBJECT_PREFIX, RULE_ID, RULE_LEVEL, UPDATE_TIME } from './names.js'
import { idOf } from './placed.js'
import { type ObjectChange, type Places, RuleObjects } from './ruleobjects.js'
import { serverFault } from './rulers.js'
import { type PostedRule, type PrometheusRuleObject, type StoredRule, type Texts } from './types.js'
import { mayRename } from '../integrations/prometheus/promql/strings.js'
import { expressionOf, faultsText, ruleFaults } from './validation.js'

const NOWHERE: Places = new Set()

export interface BulkItem {
  ruleName: string
  status: 'success' | 'error'
  result?: 'created' | 'updated' | 'deleted'
  errorType?: 'bad_data' | 'duplicate_name' | 'not_found' | 'server_error'
  error?: string
}

export interface BulkResponse {
  errors: boolean
  items: BulkItem[] | null
}

export class RuleWrites {
  readonly #turns = new InTurn()

  constructor(
    private readonly deps: {
      rules: CachedResource<PrometheusRuleObject>
      custom: CustomRules
      /** Put on new objects, for the ruler to select them. */
      resourceLabels: Readonly<Texts>
      now(): Date
    },
  ) {}

  /** @throws StatusError 400 for a bad rule, 409 for a name that is taken */
  async create(scope: Scope, rule: PostedRule, signal: AbortSignal): Promise<void> {
    demandValid(rule, scope)
    await this.#change(scope, signal, (objects) => {
      if (objects.has(rule.name))
        throw new StatusError({
          code: 409,
          reason: 'AlreadyExists',
          message: 'The alerting rule already exists',
        })
      this.#put(objects, rule, scope, NOWHERE)
    })
  }

  /** @throws StatusError 400 for a bad rule, 404 */
  async update(scope: Scope, name: string, posted: PostedRule, signal: AbortSignal): Promise<void> {
    demandValid(posted, scope)
    const rule = { ...posted, name }
    await this.#change(scope, signal, (objects) => {
      const places = objects.remove(name)
      if (places.size === 0) throw ruleNotFound()
      this.#put(objects, rule, scope, places)
    })
  }

  /** @throws StatusError 404 */
  async delete(scope: Scope, name: string, signal: AbortSignal): Promise<void> {
    let isFirst = true
    await this.#change(scope, signal, (objects) => {
      if (objects.remove(name).size === 0 && isFirst) throw ruleNotFound()
      isFirst = false
    })
  }

  /** Creates or updates each rule that is good. */
  async bulkApply(scope: Scope, rules: readonly PostedRule[], signal: AbortSignal): Promise<BulkResponse> {
    const results = new BulkResults()
    const good = new Map<string, PostedRule>()
    for (const rule of rules) {
      const faults = ruleFaults(rule, scope)
      if (faults.length > 0) results.fail(rule.name, 'bad_data', faultsText(faults))
      else if (good.has(rule.name))
        results.fail(rule.name, 'duplicate_name', 'There is more than one rule of this name')
      else good.set(rule.name, rule)
      results.place(rule.name)
    }
    if (good.size > 0)
      await this.#bulk(scope, signal, results, (objects) => {
        for (const [name, rule] of good) {
          const places = objects.remove(name)
          if (this.#tryPut(objects, rule, scope, places))
            results.succeed(name, places.size > 0 ? 'updated' : 'created')
          else results.fail(name, 'bad_data', TOO_LARGE)
        }
      })
    return results.response()
  }

  async bulkDelete(scope: Scope, names: readonly string[], signal: AbortSignal): Promise<BulkResponse> {
    const results = new BulkResults()
    const unique = [...new Set(names)]
    for (const name of unique) results.place(name)
    if (unique.length > 0)
      await this.#bulk(scope, signal, results, (objects) => {
        for (const name of unique) {
          if (objects.remove(name).size > 0) results.succeed(name, 'deleted')
          else results.missing(name)
        }
      })
    return results.response()
  }

  #put(objects: RuleObjects, rule: PostedRule, scope: Scope, avoid: Places): void {
    if (!this.#tryPut(objects, rule, scope, avoid)) throw badRequest(TOO_LARGE)
  }

  #tryPut(objects: RuleObjects, rule: PostedRule, scope: Scope, avoid: Places): boolean {
    const updated = this.deps.now().toISOString().replace(/\.\d+/, '')
    return objects.add(rule.name, (group) => stored(rule, scope, group, updated), avoid)
  }

  async #change(scope: Scope, signal: AbortSignal, plan: (objects: RuleObjects) => void): Promise<void> {
    await this.#attempt(scope, signal, plan, (_, error) => {
      throw error
    })
  }

  async #bulk(
    scope: Scope,
    signal: AbortSignal,
    results: BulkResults,
    plan: (objects: RuleObjects) => void,
  ): Promise<void> {
    await this.#attempt(scope, signal, plan, ({ names }, error) => {
      signal.throwIfAborted()
      for (const name of names) results.fail(name, 'server_error', (error as Error).message)
    })
  }

  /** @param onFailure what to do about a change that could not be written; may throw */
  async #attempt(
    scope: Scope,
    signal: AbortSignal,
    plan: (objects: RuleObjects) => void,
    onFailure: (change: ObjectChange, error: unknown) => void,
  ): Promise<void> {
    await this.#turns.of(`${levelOf(scope)}/${namespaceOf(scope)}`, signal, async () => {
      for (let tries = 1; ; tries++) {
        const objects = await this.#load(scope, signal)
        plan(objects)
        let isStale = false
        for (const change of objects.changes()) {
          try {
            await this.#write(change, signal)
          } catch (error) {
            if (isRace(error) && tries < TRIES) isStale = true
            else onFailure(change, error)
          }
          if (isStale) break
        }
        if (!isStale) return
        await afterConflict(tries)
      }
    })
  }

  async #load(scope: Scope, signal: AbortSignal): Promise<RuleObjects> {
    const by = await this.deps.custom.loadedBy(scope)
    const [namespace, level] = [namespaceOf(scope), levelOf(scope)]
    const { items } = await this.deps.rules.client.list({
      namespace,
      labelSelector: `${RULE_LEVEL}=${level}`,
      signal,
    })
    const labels = { ...this.deps.resourceLabels, [RULE_LEVEL]: level }
    return new RuleObjects(
      items.filter((object) => by.selects(object)),
      () => {
        const blank: PrometheusRuleObject = { metadata: { generateName: OBJECT_PREFIX, namespace, labels } }
        if (!by.selects(blank))
          throw serverFault(
            `the thanos ruler does not select rules of ${namespace} labelled as in alerting.thanosRuleResourceLabels`,
          )
        return blank
      },
    )
  }

  async #write({ verb, object }: ObjectChange, signal: AbortSignal): Promise<void> {
    const { rules } = this.deps
    if (verb === 'create') await rules.create(object, { signal })
    else if (verb === 'update') await rules.update(object, { signal })
    else {
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = object.metadata
      await rules.delete(name, { namespace, preconditions: { uid, resourceVersion }, signal })
    }
  }
}

const TOO_LARGE = 'the rule is too large'
const isRace = (error: unknown): boolean => isConflict(error) || isNotFound(error)

function demandValid(rule: PostedRule, scope: Scope): void {
  const faults = ruleFaults(rule, scope)
  if (faults.length > 0) throw badRequest(faultsText(faults))
}

function stored(rule: PostedRule, scope: Scope, group: string, updated: string): StoredRule {
  const { name, query, duration, annotations } = rule
  const { [RULE_ID]: _, ...labels }: Texts = {
    [ALERT_TYPE]: 'metric',
    ...rule.labels,
    ...(scope !== undefined && mayRename(query, 'namespace') && { namespace: scope }),
  }
  const made: StoredRule = {
    alert: name,
    expr: expressionOf(query, scope),
    ...(duration !== '' && { for: duration }),
    labels,
    annotations: { ...annotations, [UPDATE_TIME]: updated },
  }
  const id = idOf(group, made)
  return { ...made, labels: { ...labels, [RULE_ID]: scope === undefined ? id : `${scope}-${id}` } }
}

/** One result per name, in the order of the request; an error counts more than a success. */
class BulkResults {
  readonly #order = new Set<string>()
  readonly #items = new Map<string, BulkItem>()

  place(ruleName: string): void {
    this.#order.add(ruleName)
  }

  succeed(ruleName: string, result: 'created' | 'updated' | 'deleted'): void {
    const known = this.#items.get(ruleName)
    // Worked out again after a conflict: the first time tells what it was.
    if (known === undefined) this.#items.set(ruleName, { ruleName, status: 'success', result })
  }

  fail(ruleName: string, errorType: NonNullable<BulkItem['errorType']>, error: string): void {
    if (this.#items.get(ruleName)?.status !== 'error')
      this.#items.set(ruleName, { ruleName, status: 'error', errorType, error })
  }

  missing(ruleName: string): void {
    if (!this.#items.has(ruleName)) this.fail(ruleName, 'not_found', ruleNotFound().message)
  }

  response(): BulkResponse {
    const items = [...this.#order].flatMap((name) => this.#items.get(name) ?? [])
    return {
      errors: items.some(({ status }) => status === 'error'),
      items: items.length > 0 ? items : null,
    }
  }
}

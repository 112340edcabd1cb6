/** Which rules and alerts of a list are answered, and in which order. */
import { UPDATE_TIME } from './names.js'
import { type Alert, type AlertingRule, type Texts } from './types.js'

const LIMIT = 10

export interface Listed<T> {
  items: T[] | null
  /** After filters, before paging. */
  total: number
}

export function pageOfRules(rules: readonly AlertingRule[], query: URLSearchParams): Listed<AlertingRule> {
  const name = (query.get('name') ?? '').toLowerCase()
  const [state, health] = [query.get('state') ?? '', query.get('health') ?? '']
  const hasLabels = labelFilter(query.get('label_filters') ?? '')
  const kept = rules.filter(
    (rule) =>
      (rule.name ?? '').toLowerCase().includes(name) &&
      (state === '' || rule.state === state) &&
      (health === '' || rule.health === health) &&
      hasLabels(rule.labels),
  )
  return paged(kept.sort(ruleOrder(query)), query)
}

export function pageOfAlerts(rules: readonly AlertingRule[], query: URLSearchParams): Listed<Alert> {
  const state = query.get('state') ?? ''
  const hasLabels = labelFilter(query.get('label_filters') ?? '')
  const kept = alertsOf(rules).filter(
    (alert) => (state === '' || alert.state === state) && hasLabels(alert.labels),
  )
  return paged(kept, query)
}

/** Newest first, in one order every time. */
export function alertsOf(rules: readonly AlertingRule[]): Alert[] {
  const keyed = rules
    .flatMap(({ alerts }) => alerts ?? [])
    .map((alert) => ({ alert, key: JSON.stringify(Object.entries(alert.labels ?? {}).sort(byText)) }))
  keyed.sort(
    (a, b) => newestFirst(timeOf(a.alert.activeAt), timeOf(b.alert.activeAt)) || byText([a.key], [b.key]),
  )
  return keyed.map(({ alert }) => alert)
}

/** Comma separated `k=v` and `k~v`; the first `=` of a part divides it even when a `~` stands before. */
export function labelFilter(text: string): (labels: Readonly<Texts> | undefined) => boolean {
  const tests = text.split(',').flatMap((part) => {
    const operator = part.includes('=') ? '=' : '~'
    const at = part.indexOf(operator)
    const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    if (at < 0 || name === '' || value === '') return []
    const low = value.toLowerCase()
    return [
      (labels: Readonly<Texts>) =>
        Object.hasOwn(labels, name) &&
        (operator === '=' ? labels[name] === value : (labels[name] ?? '').toLowerCase().includes(low)),
    ]
  })
  return (labels = {}) => tests.every((test) => test(labels))
}

type Order = (a: AlertingRule, b: AlertingRule) => number

/** Latest change first, then by id; that also decides among rules that the asked field does not tell apart. */
function ruleOrder(query: URLSearchParams): Order {
  const field = query.get('sort_field') ?? ''
  const sign = query.get('sort_type') === 'desc' ? -1 : 1
  const updated = (rule: AlertingRule): string => rule.annotations?.[UPDATE_TIME] ?? ''
  const latest: Order = (a, b) => byText([updated(b)], [updated(a)]) || byText([a.id ?? ''], [b.id ?? ''])
  const byField: Readonly<Record<string, Order>> = {
    name: (a, b) => byText([a.name ?? ''], [b.name ?? '']),
    lastEvaluation: (a, b) => timeOf(a.lastEvaluation) - timeOf(b.lastEvaluation),
    evaluationTime: (a, b) => (a.evaluationTime ?? 0) - (b.evaluationTime ?? 0),
  }
  const chosen = Object.hasOwn(byField, field) ? byField[field] : undefined
  return chosen ? (a, b) => sign * chosen(a, b) || latest(a, b) : latest
}

function paged<T>(all: readonly T[], query: URLSearchParams): Listed<T> {
  const total = all.length
  const limit = wholeNumber(query.get('limit')) ?? LIMIT
  if (limit === 0) return { items: [], total }
  const page = Math.max(1, wholeNumber(query.get('page')) ?? 1)
  const size = limit < 0 ? LIMIT : limit
  const items = all.slice((page - 1) * size, page * size)
  return { items: items.length > 0 ? items : null, total }
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined
}

function timeOf(text = ''): number {
  const time = Date.parse(text)
  return Number.isNaN(time) ? 0 : time
}

/** Those without a time last. */
function newestFirst(a: number, b: number): number {
  return b - a
}

function byText([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Which alerts of rule groups a list answers: newest first unless asked otherwise. */
import { type RulerAlert } from '../integrations/prometheus/rules.js'
import { PromqlError } from '../integrations/prometheus/promql/errors.js'
import { labelTest, type LabelTest } from '../integrations/prometheus/promql/labelmatcher.js'
import { pageBounds, parseListQuery } from '../listing/query.js'
import { serverFault } from './rulers.js'

export type GroupAlert = RulerAlert

/** `builtin` has chosen the groups already. */
const KNOWN: ReadonlySet<string> = new Set(['state', 'label_filters', 'label_matcher', 'builtin'])

/** @throws StatusError 500 for a selector that cannot be read */
export function pageOfGroupAlerts(
  alerts: readonly GroupAlert[],
  query: URLSearchParams,
): { items: GroupAlert[]; totalItems: number } {
  const wanted = parseListQuery(query)
  const { filters } = wanted
  const matches = labelMatcher(filters.get('label_matcher') ?? '')
  const contains = labelFilters(filters.get('label_filters') ?? '')
  const state = filters.get('state')
  // As in every list of this form, a filter that is not known matches nothing.
  const hasUnknown = [...filters.keys()].some((key) => !KNOWN.has(key))
  const kept = hasUnknown
    ? []
    : alerts.filter(
        ({ labels = {}, ...alert }) =>
          (state === undefined || alert.state === state) && matches(labels) && contains(labels),
      )
  const sign = wanted.ascending ? 1 : -1
  kept.sort((a, b) => sign * (timeOf(a) - timeOf(b)))
  return { items: kept.slice(...pageBounds(wanted, kept.length)), totalItems: kept.length }
}

function labelMatcher(selector: string): LabelTest {
  if (selector === '') return () => true
  try {
    return labelTest(selector)
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error
    throw serverFault(`invalid label_matcher param: ${error.message}`, { cause: error })
  }
}

/** `k=v` exactly, `k~v` as a part of the value. */
function labelFilters(text: string): LabelTest {
  const tests = text.split(',').flatMap((part): LabelTest[] => {
    const operator = part.includes('=') ? '=' : '~'
    const at = part.indexOf(operator)
    const [name, value] = [part.slice(0, at), part.slice(at + 1)]
    if (at <= 0 || value === '') return []
    return [
      (labels) =>
        Object.hasOwn(labels, name) &&
        (operator === '=' ? labels[name] === value : (labels[name] ?? '').includes(value)),
    ]
  })
  return (labels) => tests.every((test) => test(labels))
}

function timeOf({ activeAt = '' }: GroupAlert): number {
  const time = Date.parse(activeAt)
  return Number.isNaN(time) ? 0 : time
}

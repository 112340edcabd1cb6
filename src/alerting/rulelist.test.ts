import { describe, expect, it } from 'vitest'
import { labelFilter, pageOfAlerts, pageOfRules } from './rulelist.js'
import { type AlertingRule } from './types.js'

const query = (text: string): URLSearchParams => new URLSearchParams(text)

function names(rules: AlertingRule[], text: string): (string | undefined)[] | null {
  return pageOfRules(rules, query(text)).items?.map(({ name }) => name) ?? null
}

const rule = (id: string, more: Partial<AlertingRule> = {}): AlertingRule => ({ id, name: id, ...more })

describe('the list of rules', () => {
  it('is paged by ten, and null past the end', () => {
    const rules = Array.from({ length: 25 }, (_, n) => rule(String(n).padStart(2, '0')))

    expect(names(rules, '')).toHaveLength(10)
    expect(names(rules, 'page=3')).toHaveLength(5)
    expect(pageOfRules(rules, query('page=4'))).toEqual({ items: null, total: 25 })
    expect(pageOfRules(rules, query('limit=0'))).toEqual({ items: [], total: 25 })
    expect(names(rules, 'limit=-3&page=-1')).toHaveLength(10)
    expect(names(rules, 'limit=x&page=x')).toHaveLength(10)
  })

  it('begins with the rule that was changed last', () => {
    const changed = (time: string) => ({ annotations: { rule_update_time: time } })
    const rules = [
      rule('b'),
      rule('a'),
      rule('old', changed('2026-01-01')),
      rule('new', changed('2026-02-01')),
    ]

    expect(names(rules, '')).toEqual(['new', 'old', 'a', 'b'])
  })

  it('is sorted by the asked field, either way', () => {
    const rules = [rule('a', { evaluationTime: 3 }), rule('b'), rule('c', { evaluationTime: 1 })]

    expect(names(rules, 'sort_field=evaluationTime')).toEqual(['b', 'c', 'a'])
    expect(names(rules, 'sort_field=evaluationTime&sort_type=desc')).toEqual(['a', 'c', 'b'])
    expect(names(rules, 'sort_field=name&sort_type=desc')).toEqual(['c', 'b', 'a'])
    expect(names(rules, 'sort_field=constructor')).toEqual(['a', 'b', 'c'])
  })

  it('is narrowed by name in any case, by state and by health', () => {
    const rules = [rule('CPU', { state: 'firing', health: 'ok' }), rule('disk', { state: 'pending' })]

    expect(names(rules, 'name=cp')).toEqual(['CPU'])
    expect(names(rules, 'state=pending')).toEqual(['disk'])
    expect(names(rules, 'health=ok')).toEqual(['CPU'])
    expect(names(rules, 'health=o')).toBeNull()
  })
})

describe('label filters', () => {
  it.each([
    ['severity~CRIT', true],
    ['severity=CRIT', false],
    ['severity=critical,team=blue', true],
    ['severity=critical,team=red', false],
    ['nonsense,=x,severity=', true],
    // The first = divides, so this asks for a label that is called "team~b".
    ['team~b=blue', false],
    ['toString~f', false],
  ])('%s', (text, expected) => {
    expect(labelFilter(text)({ severity: 'critical', team: 'blue' })).toBe(expected)
  })

  it('keep rules without labels only when they ask for nothing', () => {
    expect(labelFilter('')(undefined)).toBe(true)
    expect(labelFilter('a=b')(undefined)).toBe(false)
  })
})

describe('the list of alerts', () => {
  it('begins with the newest, and ends with those of no time', () => {
    const at = (activeAt?: string) => ({
      state: 'firing',
      value: activeAt ?? '-',
      ...(activeAt && { activeAt }),
    })
    const rules = [
      rule('a', { alerts: [at('2026-01-01T00:00:00Z'), at()] }),
      rule('b', { alerts: [at('2026-01-02T00:00:00.5Z')] }),
    ]

    const { items, total } = pageOfAlerts(rules, query('state=firing'))

    expect(total).toBe(3)
    expect(items?.map(({ value }) => value)).toEqual(['2026-01-02T00:00:00.5Z', '2026-01-01T00:00:00Z', '-'])
  })
})

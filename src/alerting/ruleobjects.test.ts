import { describe, expect, it } from 'vitest'
import { OBJECT_LIMIT_BYTES, RuleObjects } from './ruleobjects.js'
import { type PrometheusRuleObject, type StoredRule } from './types.js'

const NOWHERE: ReadonlySet<string> = new Set()
const blank = (): PrometheusRuleObject => ({ metadata: { generateName: 'custom-alerting-rule-' } })
const rule =
  (name: string, text = '') =>
  (group: string): StoredRule => ({ alert: name, expr: 'up', annotations: { group, text } })

function changesOf(objects: RuleObjects): { verb: string; name?: string | undefined; groups: string[] }[] {
  return [...objects.changes()].map(({ verb, object }) => ({
    verb,
    name: object.metadata.name,
    groups: (object.spec?.groups ?? []).map(({ name, rules }) => `${name}:${rules?.length}`),
  }))
}

describe('objects of rules', () => {
  it('hold twenty rules in a group', () => {
    const objects = new RuleObjects([], blank)
    for (let n = 0; n < 45; n++) objects.add(`r${n}`, rule(`r${n}`), NOWHERE)

    const defaults = 'alerting.custom.defaults'
    expect(changesOf(objects)).toEqual([
      {
        verb: 'create',
        name: undefined,
        groups: [`${defaults}.0:20`, `${defaults}.1:20`, `${defaults}.2:5`],
      },
    ])
  })

  it('stay below the size that operators can pass on', () => {
    const objects = new RuleObjects([], blank)
    const large = 'x'.repeat(OBJECT_LIMIT_BYTES / 3)
    for (let n = 0; n < 5; n++) objects.add(`r${n}`, rule(`r${n}`, large), NOWHERE)

    const changes = [...objects.changes()]
    expect(changes.length).toBe(3)
    for (const { object } of changes)
      expect(JSON.stringify(object).length).toBeLessThanOrEqual(OBJECT_LIMIT_BYTES)
    expect(objects.add('huge', rule('huge', 'x'.repeat(OBJECT_LIMIT_BYTES)), NOWHERE)).toBe(false)
  })

  it('leave nothing empty behind', () => {
    const group = (name: string, ...rules: string[]) => ({ name, rules: rules.map((one) => rule(one)('')) })
    const named = (name: string, ...groups: ReturnType<typeof group>[]) => ({
      metadata: { name },
      spec: { groups },
    })
    const objects = new RuleObjects(
      [named('one', group('g', 'a'), group('h', 'b')), named('two', group('g', 'a'))],
      blank,
    )

    expect(objects.remove('a').size).toBe(2)

    expect(changesOf(objects)).toEqual([
      { verb: 'update', name: 'one', groups: ['h:1'] },
      { verb: 'delete', name: 'two', groups: [] },
    ])
  })

  it('put a rule that is replaced into another group', () => {
    const objects = new RuleObjects([], blank)
    objects.add('a', rule('a'), NOWHERE)
    const [{ object } = { object: blank() }] = [...objects.changes()]
    const again = new RuleObjects([{ ...object, metadata: { name: 'one' } }], blank)

    again.add('a', rule('a'), again.remove('a'))

    expect(changesOf(again)).toEqual([
      { verb: 'update', name: 'one', groups: ['alerting.custom.defaults.1:1'] },
    ])
  })
})

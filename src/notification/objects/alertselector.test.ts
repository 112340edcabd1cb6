import { describe, expect, it } from 'vitest'
import { alertTest } from './alertselector.js'

const matching = (regexValue: string) =>
  alertTest({ matchExpressions: [{ key: 'alertname', operator: 'Match', regexValue }] })

describe('a selector of alerts', () => {
  it('searches a value for an expression', () => {
    expect(matching('^Pod')({ alertname: 'PodCrashes' })).toBe(true)
    expect(matching('^Pod')({ alertname: 'NodeDown' })).toBe(false)
    expect(matching('^$')({})).toBe(true)
  })

  it('refuses what is no RE2 expression', () => {
    expect(() => matching('a(')).toThrow('error parsing regexp')
    expect(() => matching('a(?=b)')).toThrow('error parsing regexp')
  })

  it('does not hold everybody up with an expression that would take for ever elsewhere', () => {
    expect(matching('^(a|a)*b$')({ alertname: 'a'.repeat(5_000) })).toBe(false)
  })
})

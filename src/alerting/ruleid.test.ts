import { describe, expect, it } from 'vitest'
import { durationMs, durationText } from '../integrations/prometheus/durations.js'
import { ruleId } from './ruleid.js'

const CPU_HIGH = {
  group: 'alerting.custom.defaults.0',
  name: 'cpu-high',
  query: 'up == 0',
  duration: '5m',
  labels: { alerttype: 'metric', severity: 'critical' },
}

describe('the id of a rule', () => {
  it('is the one that the original gives it', () => {
    expect(ruleId(CPU_HIGH)).toBe('ac357bc93368b5ec')
  })

  it('is the same however its expression and its duration are written', () => {
    expect(ruleId({ ...CPU_HIGH, query: 'up==0 # down', duration: '300s' })).toBe(ruleId(CPU_HIGH))
  })

  it('does not depend on the label that carries it', () => {
    expect(ruleId({ ...CPU_HIGH, labels: { ...CPU_HIGH.labels, rule_id: 'x' } })).toBe(ruleId(CPU_HIGH))
  })

  it('is another one in another group, by another label, for another duration', () => {
    const others = [
      { ...CPU_HIGH, group: 'alerting.custom.defaults.1' },
      { ...CPU_HIGH, labels: { alerttype: 'metric', severity: 'warning' } },
      { ...CPU_HIGH, duration: '' },
    ]

    expect(new Set([CPU_HIGH, ...others].map(ruleId)).size).toBe(4)
  })
})

describe('durations', () => {
  it.each([
    ['300s', '5m'],
    ['0', '0s'],
    ['90m', '1h30m'],
    ['1d', '1d'],
    ['7d', '1w'],
    ['8d', '8d'],
    ['1500ms', '1s500ms'],
  ])('%s is printed %s', (text, printed) => {
    expect(durationText(durationMs(text) ?? NaN)).toBe(printed)
  })

  it.each(['', '5', '1parsec', '1m1h', '-5m', '1.5h', ' 5m'])('%j is none', (text) => {
    expect(durationMs(text)).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { type PostedRule } from './types.js'
import { faultsText, ruleFaults } from './validation.js'

const RULE: PostedRule = { name: 'a', query: 'up == 0', duration: '5m', labels: {}, annotations: {} }

describe('a posted rule', () => {
  it.each<[string, Partial<PostedRule>, string]>([
    ['needs a name and a query', { name: '', query: '' }, '[name can not be empty, query can not be empty]'],
    [
      'has a name as labels have',
      { name: 'Bad Name' },
      'rule name must match regular expression ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    ],
    [
      'is told where its query is wrong',
      { query: 'bad(((' },
      'query is invalid: bad(((: 1:7: parse error: unclosed left parenthesis',
    ],
    [
      'has a duration of Prometheus',
      { duration: '1parsec' },
      'duration is invalid: 1parsec: not a valid duration string: "1parsec"',
    ],
    [
      'has names of annotations as labels have',
      { annotations: { 'a-b': '' } },
      'annotation name (a-b) is not valid. The name must match [a-zA-Z_][a-zA-Z0-9_]*',
    ],
    [
      'has templates that can be read',
      { annotations: { summary: '{{ $label.x }}' } },
      'annotation summary is not a valid template: undefined variable "$label"',
    ],
  ])('%s', (_, change, message) => {
    expect(faultsText(ruleFaults({ ...RULE, ...change }, undefined))).toBe(message)
  })

  it('of the cluster may ask for more in its templates, one of a project may not', () => {
    const rule = { ...RULE, annotations: { summary: '{{ query "up{namespace=\\"b\\"}" }}' } }

    expect(ruleFaults(rule, undefined)).toEqual([])
    expect(faultsText(ruleFaults(rule, 'a'))).toContain('function "query" is not allowed')
  })

  it('of a project cannot say that its alerts are of another', () => {
    expect(ruleFaults({ ...RULE, labels: { namespace: 'b' } }, 'a')).toEqual([
      'label namespace can only be a here',
    ])
    expect(ruleFaults({ ...RULE, labels: { namespace: 'a' } }, 'a')).toEqual([])
  })
})

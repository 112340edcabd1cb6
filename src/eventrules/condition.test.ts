import { describe, expect, it } from 'vitest'
import { parseCondition } from './condition.js'
import { filledIn } from './fields.js'

const EVENT = {
  type: 'Warning',
  reason: 'BackOff',
  count: 4,
  message: 'Back-off restarting failed container "main"',
  lastTimestamp: '2026-11-28T10:00:00Z',
  involvedObject: { kind: 'Pod', name: 'web-1', fieldPath: 'spec.containers{main}' },
}

describe('a condition', () => {
  it.each([
    ['event.type="Warning" and event.count>3', true],
    ['type = "Warning" and reason="Killing"', false],
    ['event.reason="Killing" or event.type="Warning" and event.count>=4', true],
    ['(event.reason="Killing" or event.type="Warning") and event.count<4', false],
    ['not event.involvedObject.fieldPath="" and event.count>3', true],
    ['not event.involvedObject.fieldPath="" and event.count>4', false],
    ['! (event.reason in ("A", "B")) and event.reason in ("A","BackOff")', true],
    ['event.reason not in ("BackOff")', false],
    ['event.message contains "\\"main\\""', true],
    ['event.message not contains "Back-off"', false],
    ['event.involvedObject.name like "web-?"', true],
    ['event.involvedObject.name not like "web*"', false],
    ['event.involvedObject.name like "w.b-1"', false],
    ['event.message regexp "^Back-off .* container"', true],
    ['event.count != 4', false],
    ['event.count = 4 and event.lastTimestamp >= "2026-11-28T00:00:00Z"', true],
    ['event.series exists', false],
    ['event.series not exists and event.involvedObject exists', true],
    ['event.series.count > -1', false],
    ['event.involvedObject.namespace = ""', true],
    ['event.constructor.name = "Object"', false],
    ['event.action', false],
  ])('%s is %s', (text, expected) => {
    expect(parseCondition(text)(EVENT)).toBe(expected)
  })

  it.each([
    ['', 'a field is expected at the end'],
    ['event.type="Warning', 'at 11 means nothing'],
    ['event.type=Warning', 'a text in quotes, a number, true or false is expected at 11'],
    ['event.type="a" event.reason="b"', 'the end is expected at 14'],
    ['event.reason in ("a"', '")" is expected at the end'],
    ['event.reason not "a"', '"contains", "in", "like", "regexp" or "exists" is expected at 16'],
    ['event.message regexp "("', 'missing closing )'],
    ['"Warning"=event.type', 'a field is expected at 0'],
    ['('.repeat(5000), 'it is longer than 4096 letters'],
    ['not '.repeat(1000) + 'event.action', 'it is nested too deeply'],
  ])('that nobody understands is refused: %.40s', (text, message) => {
    expect(() => parseCondition(text)).toThrow(message)
  })

  it('with a pattern that is slow elsewhere is not slow', () => {
    const matches = parseCondition('event.message regexp "^(a+)+$"')

    expect(matches({ message: `${'a'.repeat(50_000)}b` })).toBe(false)
  })
})

it('annotations tell what the Event says, and keep what means nothing', () => {
  expect(
    filledIn('%event.involvedObject.name: %event.message (100%, %reason, %nothing%event.none)', EVENT),
  ).toBe('web-1: Back-off restarting failed container "main" (100%, BackOff, %nothing)')
})

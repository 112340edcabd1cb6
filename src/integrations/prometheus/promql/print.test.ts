import { describe, expect, it } from 'vitest'
import { print } from './print.js'

describe('printing an expression', () => {
  it.each([
    ['up==0', 'up == 0'],
    ['sum (x) by (a,b)', 'sum by(a, b) (x)'],
    ['SUM(x) WITHOUT (a)', 'sum without(a) (x)'],
    ['topk(5,x{a=\'b\', c!="d",})', 'topk(5, x{a="b",c!="d"})'],
    ['rate( x [5m] offset  1h )', 'rate(x[5m] offset 1h)'],
    ['a/on (x,y) group_left (z) b', 'a / on(x, y) group_left(z) b'],
    ['a > bool 0x1F', 'a > bool 31'],
    ['max_over_time(x[1h:])', 'max_over_time(x[1h:])'],
    ['max_over_time(x[1h:5m])', 'max_over_time(x[1h:5m])'],
    ['x @ start( )', 'x @ start()'],
    ['-(a+b)', '-(a + b)'],
    ['a AND b # both', 'a and b'],
    ['{__name__="x"}', '{__name__="x"}'],
    ['count_values(`a"b`, x)', 'count_values("a\\"b", x)'],
    ['x > 1e3', 'x > 1000'],
    ['inf', '+Inf'],
  ])('%s → %s', (expression, printed) => {
    expect(print(expression)).toBe(printed)
    expect(print(printed)).toBe(printed)
  })

  it('says where an expression is wrong', () => {
    expect(() => print('bad(((')).toThrow('1:7: parse error: unclosed left parenthesis')
  })
})

import { type SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, it } from 'vitest'
import * as fc from '../../../../test/fixtures/properties.js'
import { confine } from './confine.js'
import { PromqlError } from './errors.js'
import { equal } from './text.js'

const inDemo = (expression: string): string => confine(expression, equal('namespace', 'demo'))

describe('an expression confined to a namespace', () => {
  it.each([
    ['up', 'up{namespace="demo"}'],
    ['sum(up{namespace="kube-system"})', 'sum(up{namespace="demo"})'],
    ['up{namespace!="demo",a="b"}', 'up{a="b",namespace="demo"}'],
    ['up{namespace=~".*",namespace!~"x"}', 'up{namespace="demo"}'],
    ['{__name__="up"}', '{__name__="up",namespace="demo"}'],
    ['{}', '{namespace="demo"}'],
    ['rate(x[5m] offset 1h)', 'rate(x{namespace="demo"}[5m] offset 1h)'],
    ['max_over_time(rate(x[5m])[1h:1m])', 'max_over_time(rate(x{namespace="demo"}[5m])[1h:1m])'],
    ['a / on(pod) group_left(b) c', 'a{namespace="demo"} / on(pod) group_left(b) c{namespace="demo"}'],
    ['sum by (code) (a) > bool 2', 'sum by (code) (a{namespace="demo"}) > bool 2'],
    ["x{a='it\\'s'}", 'x{a="it\'s",namespace="demo"}'],
    ['x{a=`"} or up{`}', 'x{a="\\"} or up{",namespace="demo"}'],
    ['x{"namespace"="other"}', 'x{namespace="demo"}'],
    ['x # {namespace="other"}', 'x{namespace="demo"}'],
    ['-x ^ 2', '-x{namespace="demo"} ^ 2'],
    ['1 + 1', '1 + 1'],
  ])('%s becomes %s', (expression, confined) => {
    expect(inDemo(expression)).toBe(confined)
  })

  it.each([
    ['', 'unknown position: parse error: no expression found in input'],
    ['bad(((', '1:7: parse error: unclosed left parenthesis'],
    ['rate(x[5m]', '1:11: parse error: unclosed left parenthesis'],
    ['x{a="b', '1:5: parse error: unterminated quoted string'],
    ['x)', '1:2: parse error: unexpected ")"'],
    ['1 +\n', '2:1: parse error: unexpected end of input'],
    ['x y', '1:3: parse error: unexpected "y"'],
    ['info(x)', '1:1: parse error: the function info is not allowed here'],
    ['x{a="\\xff"}', '1:5: parse error: a string cannot be read'],
  ])('%j is refused: %s', (expression, message) => {
    expect(() => inDemo(expression)).toThrow(message)
  })

  it('is refused when it is nested too deeply to be read by anybody', () => {
    expect(() => inDemo('('.repeat(5_000) + 'x' + ')'.repeat(5_000))).toThrow('nested too deeply')
  })

  it('selects nothing of another namespace, however it is written', () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        for (const selector of selectorsOf(inDemo(expression))) {
          const namespaces = selector.filter(([label]) => label === 'namespace')
          expect(namespaces).toEqual([['namespace', '=', '"demo"']])
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is refused or confined, whatever the text', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '"',
      "'",
      '`',
      '\\',
      '#',
      '\n',
      'namespace',
      '=',
      '=~',
      'x',
      ',',
      '(',
      ')',
      '[5m]',
      ' or ',
      '\u00a0',
      '\0',
      '@',
      ':',
      '1e3',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        let confined: string
        try {
          confined = inDemo(parts.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(PromqlError)
          return
        }
        for (const selector of selectorsOf(confined))
          expect(selector.filter(([label]) => label === 'namespace')).toEqual([['namespace', '=', '"demo"']])
      }),
      { numRuns: 3_000 },
    )
  })
})

const strings = fc
  .oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('other', '.*', '"} or up{namespace="other', '\\', "'", '`'),
  )
  .map((text) => JSON.stringify(text.replace(/[^\x20-\x7e]/g, '')))
const matchers = fc
  .tuple(fc.constantFrom('namespace', 'pod', '__name__'), fc.constantFrom('=', '!=', '=~', '!~'), strings)
  .map((parts) => parts.join(''))
const selectors = fc
  .tuple(fc.constantFrom('up', 'node:load:sum', 'sum', ''), fc.array(matchers, { maxLength: 3 }))
  .map(([name, list]) => `${name}{${list.join(' , ')}${list.length > 1 ? ',' : ''}}`)
const expressions = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    selectors,
    tie('any').map((x) => `(${x})`),
    tie('any').map((x) => `sum by (namespace) (${x})`),
    tie('any').map((x) => `rate((${x})[5m:1m])`),
    tie('any').map((x) => `label_replace(${x}, "namespace", "other", "pod", ".*")`),
    fc
      .tuple(
        tie('any'),
        fc.constantFrom('or', 'and on(pod)', '* on(pod) group_left(namespace)', '+'),
        tie('any'),
      )
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    tie('any').map((x) => `${x} # {namespace="other"}\n`),
  ),
})).any

/** Of every selector its matchers, read from the tree. */
function selectorsOf(expression: string): string[][][] {
  const found: string[][][] = []
  const text = ({ from, to }: { from: number; to: number }): string => expression.slice(from, to)
  const walk = (node: SyntaxNode): void => {
    expect(node.type.isError, expression).toBe(false)
    if (node.name === 'VectorSelector') found.push([])
    if (node.name.endsWith('LabelMatcher')) {
      const parts: string[] = []
      for (let child = node.firstChild; child; child = child.nextSibling) parts.push(text(child))
      found.at(-1)?.push(parts)
    }
    for (let child = node.firstChild; child; child = child.nextSibling) walk(child)
  }
  walk(parser.parse(expression).topNode)
  return found
}

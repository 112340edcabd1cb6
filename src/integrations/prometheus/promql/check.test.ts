import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { checkRule, typeOf } from './check.js'
import { PromqlError } from './errors.js'

const PROMTOOL = '/usr/bin/promtool'
const HAVE_PROMTOOL = existsSync(PROMTOOL)
const WITHOUT = 'SKIPPED: promtool of the package prometheus is not installed'

const GOOD = `
up == 0
1
-1
up
-up
-(up + 1)
sum(up)
sum by (job) (up) > 2
sum(up) without (instance)
count_values("version", build_info)
topk(3, up)
quantile(0.9, up)
bottomk by (a) (2, x)
rate(x[5m]) * 100
rate(x[5m] offset 1h)
rate(x[5m] @ end())
x @ 1609746000 offset 5m
x offset -5m
max_over_time(rate(x[5m])[1h:1m])
max_over_time(rate(x[5m])[1h:] offset 1m)
quantile_over_time(0.5, x[5m])
predict_linear(x[1h], 4 * 3600) < 0
histogram_quantile(0.9, sum by (le) (rate(b_bucket[5m])))
label_replace(up, "a", "$1", "b", "(.*)")
label_join(up, "a", ",", "b", "c")
label_join(up, "a", ",")
round(x)
round(x, 0.1)
clamp(x, 0, 1)
clamp_max(x, 5)
time() - x > 60
vector(1)
scalar(x) + 1
absent(up{job="a"})
absent_over_time(up{job="a"}[5m])
hour()
hour(x)
day_of_week(vector(time()))
a and b
a or on() vector(0)
a unless ignoring(c) b
a * on(x) group_left(y) b
a / on(x) group_right() b
a > bool b
1 > bool 2
1 + 2 * 3 ^ 2
a atan2 b
a % 2
{__name__="a"}
{__name__=~"a.+"}
{__name__="a",__name__="b"}
{a="b"}
{a!=""}
{a=~".+"}
a{b=""}
a{b=~"c|d", e!~"f"}
0x1f
1e3
Inf
NaN > bool 1
sum(a) by (b) / sum(c) by (b)
sgn(x)
stddev_over_time(x[1d])
irate(x[1h30m])
group(x)
pi()
sort_desc(x)
avg_over_time((x)[5m:1m])
(((x)))
a == on(b) c
x{a='b'}
x{a=\`b\`}
SUM(x)
a AND b
x OFFSET 5m
timestamp(x)
changes(x[10m]) > 3
sum(rate(x{code=~"5.."}[5m])) / sum(rate(x[5m])) > 0.05
# a comment
`
const BAD = `
sum(
sum up
up ==
up{a="b"
up{a=b}
x[5m
x[5m] + 1
a[5m:] == 1 or vector(0)
-x[5m]
rate(x)
rate(1)
rate(sum(x))
rate(rate(x[5m])[5m])
rate(x[0s])
rate(x[5])
rate(x[5mm])
x offset 0s
sum(x[5m])
sum("a")
sum(1)
sum()
sum(x, y)
topk(x)
topk("a", x)
topk(x, 3)
count_values(1, x)
quantile(x)
abs()
abs(1)
abs(x, y)
abs(x[5m])
round(x, 1, 2)
round(1)
clamp(x, 0)
clamp_max(x)
label_replace(x, "a", "b", "c")
label_replace(x, a, "b", "c", "d")
label_replace(1, "a", "b", "c", "d")
label_join(x, "a")
histogram_quantile(x, 0.9)
predict_linear(x, 1)
scalar(1)
vector(x)
time(1)
nosuch(x)
absent()
1 > 2
1 == 1
1 and 2
a and 1
1 or a
a and on() group_left b
a or group_left b
a * on(x) group_left(x) b
a + on(x) 1
1 * ignoring(x) a
a + bool b
a and bool b
"a" + 1
"a" > x
x > "a"
-"a"
{}
{a=""}
{a=~".*"}
{a!="b"}
a{__name__="b"}
x{a=~"("}
x{a=~"*"}
sum(x)[5m]
(x)[5m]
1[5m:]
"a"[5m:]
x[5m][5m:]
(x + y) offset 5m
sum(x) offset 5m
1 offset 5m
x offset 5m offset 5m
x @ 1 @ 2
sum(x) @ 1
sum by (a x
a +* b
a ++
x{a="b",,c="d"}
x[5m:0s]
x{"a"="b"}
max_over_time(x)
x.y
$x
x{a==“b”}
`
const listed = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

function isAccepted(expression: string): boolean {
  try {
    typeOf(expression)
    return true
  } catch (error) {
    if (error instanceof PromqlError) return false
    throw error
  }
}

describe('expressions of rules', () => {
  it.each(listed(GOOD))('may be %s', (expression) => {
    expect(() => typeOf(expression)).not.toThrow()
  })

  it.each(listed(BAD))('may not be %s', (expression) => {
    expect(() => typeOf(expression)).toThrow(/^\d+:\d+: parse error: /)
  })

  it.each([
    [
      'sum(x) +\n rate(y)',
      '2:7: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ['up and 1', '1:4: parse error: set operator "and" not allowed in binary scalar expression'],
    ['1 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['abs(x, y)', '1:1: parse error: expected 1 argument(s) in call to "abs", got 2'],
    [
      'a * on(x) group_left(x) b',
      '1:5: parse error: label "x" must not occur in ON and GROUP clause at once',
    ],
  ])('say what is wrong and where: %s', (expression, message) => {
    expect(() => typeOf(expression)).toThrow(message)
  })

  it.each(['"a"', 'x[5m]', 'x[5m:1m]'])('cannot have a result that no alert comes of: %s', (expression) => {
    expect(() => checkRule(expression)).toThrow('a rule cannot have a')
  })
})

describe.skipIf(!HAVE_PROMTOOL)(HAVE_PROMTOOL ? 'promtool' : `promtool, ${WITHOUT}`, () => {
  it('agrees about every expression, and about those with one part replaced by another', () => {
    const all = [...listed(GOOD), ...listed(BAD), ...replaced(listed(GOOD))]
    const directory = mkdtempSync(join(tmpdir(), 'orrery-promtool-'))
    try {
      const file = join(directory, 'rules.yml')
      const rules = all.map((expr) => ({ alert: 'A', expr }))
      writeFileSync(file, stringify({ groups: [{ name: 'g', rules }] }))
      const { stdout, stderr } = spawnSync(PROMTOOL, ['check', 'rules', file], {
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      })
      const refused = new Set(
        [...(stdout + stderr).matchAll(/group "g", rule (\d+), "A": could not parse/g)].map(
          ([, n]) => Number(n) - 1,
        ),
      )
      expect(refused.size).toBeGreaterThan(listed(BAD).length / 2)

      const differing = all.filter((expression, index) => isAccepted(expression) === refused.has(index))
      expect(differing).toEqual([])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }, 60_000)
})

/** Every selector, number and string of an expression, each replaced by something of another type. */
function replaced(expressions: readonly string[]): string[] {
  const others = ['y', '7', '"s"', 'y[5m]', 'sum(y)', 'time()']
  const found = new Set<string>()
  for (const expression of expressions)
    for (const { 0: part, index } of expression.matchAll(
      /(?<![\w"$[{~=!@.'`])(?:x|up|[0-9](?:\.[0-9]+)?)(?![\w"\]})~=!.[{%'`(:])/g,
    ))
      for (const other of others)
        found.add(expression.slice(0, index) + other + expression.slice(index + part.length))
  return [...found]
}

/** docs/scenarios.md names tests that exist, and leaves out no scenario. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface Row {
  scenario: number
  tests: { file: string; block: string; title: string }[]
}

function rows(): Row[] {
  return [...read('docs/scenarios.md').matchAll(/^\| (\d+) +\|.*?\| (`test.*?) +\|$/gm)].map(
    ([, scenario, cell = '']) => ({
      scenario: Number(scenario),
      tests: cell.split('<br>').map((text) => {
        const [, file = '', block = '', title = ''] = /^`(.*?)`: (.*?) › (.*)$/.exec(text) ?? []
        return { file, block, title }
      }),
    }),
  )
}

it('all 75 scenarios have a test', () => {
  expect(rows().map(({ scenario }) => scenario)).toEqual(Array.from({ length: 75 }, (_, i) => i + 1))
})

it('the tests of scenarios are where the table says', () => {
  const missing = rows().flatMap(({ scenario, tests }) =>
    tests
      .filter(({ file, block, title }) => {
        const source = file === '' ? '' : read(file)
        const at = source.search(new RegExp(`^describe.*\\(['"\`]${escaped(block)}['"\`],`, 'm'))
        const next = source.indexOf('\ndescribe', at + 1)
        const body = at < 0 ? '' : source.slice(at, next < 0 ? undefined : next)
        return !new RegExp(`['"\`]${escaped(title)}['"\`],`).test(body)
      })
      .map(({ file, block, title }) => `${scenario}: ${file}: ${block} › ${title}`),
  )

  expect(missing).toEqual([])
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

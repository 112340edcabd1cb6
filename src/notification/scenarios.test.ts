/** scenarios.md names tests that exist, and leaves out no number. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

it('each scenario of notification has its test', () => {
  const rows = [...read('src/notification/scenarios.md').matchAll(/^\| (\d+) +\|.*?\| `(\S+)`: (.*?) +\|$/gm)]

  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from(rows, (_, position) => position + 1))
  expect(rows.length).toBe(72)
  expect(
    rows.filter(([, , file = '', title = '']) => !read(file).includes(`'${title}'`)).map(([row]) => row),
  ).toEqual([])
})

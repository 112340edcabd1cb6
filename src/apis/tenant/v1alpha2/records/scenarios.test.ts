/** The table of doc.md names tests that exist. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const FILES: Record<string, string> = {
  R: read('records.test.ts'),
  S: read('strangers.test.ts'),
  E: read('../../../../integrations/records/elasticsearch/elasticsearch.test.ts'),
  C: read('../../../../integrations/records/conformance.ts'),
}

it('each scenario and trap of searches has its test', () => {
  const rows = [...read('../doc.md').matchAll(/^\| ((?:trap )?\d+) .*?\| (.*?) \|$/gm)]
  expect(rows.map(([, number]) => number)).toEqual([
    ...['37', '38', '39', '40', '41', '42', '43', '44', '45', '46'],
    ...['trap 13', 'trap 14', 'trap 15', 'trap 16', 'trap 17'],
  ])

  const named = rows.flatMap(([, number = '', cell = '']) =>
    [...cell.matchAll(/\b([RSEC]): ([^;]+)/g)].flatMap(([, file = '', titles = '']) =>
      titles.split(/ …, | …$/).flatMap((title) => (title === '' ? [] : [{ number, file, title }])),
    ),
  )
  expect(new Set(named.map(({ number }) => number)).size).toBe(rows.length)
  expect(named.filter(({ file, title }) => !FILES[file]?.includes(`('${title}`))).toEqual([])
})

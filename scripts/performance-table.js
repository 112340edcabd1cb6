/**
 * `node scripts/performance-table.js FILE...`: puts the figures of `npm run bench -- --out FILE` into docs/performance.md,
 * between its two marks, and draws docs/performance.svg. Of several files, runs or parts of runs, each figure is the median
 * of those that have it. Tables that no file has rows of stay as they are, and so does the chart where none has a ratio.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.js'

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('Give the files that `npm run bench -- --out FILE` has written.')
  process.exit(2)
}
const START = '<!-- figures -->'
const END = '<!-- end of figures -->'
const document = join(root, 'docs', 'performance.md')
const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')))
const { at, machine } = runs.at(-1)
const skipped = [...new Map(runs.flatMap((run) => run.skipped).map((skip) => [skip.name, skip])).values()]
const rows = medians(runs.flatMap((run) => run.rows))

const text = readFileSync(document, 'utf8')
const [before, rest] = text.split(START)
const [earlier, after] = rest?.split(END) ?? []
if (after === undefined) {
  console.error(`${document} lacks the lines ${START} and ${END}.`)
  process.exit(1)
}
writeFileSync(document, `${before}${START}\n\n${figures()}\n${END}${after}`)
const bars = rows.filter(({ cells }) => cells.ratio !== undefined)
if (bars.length > 0) writeFileSync(join(root, 'docs', 'performance.svg'), chart())

/** One row for each id, in the order of their first. */
function medians(all) {
  const byId = new Map()
  for (const row of all) byId.set(row.id, [...(byId.get(row.id) ?? []), row])
  return [...byId.values()].map((same) => {
    const [first] = same
    const cells = {}
    for (const key of Object.keys(first.cells))
      cells[key] = median(same.flatMap((row) => row.cells[key] ?? []))
    if (first.target === undefined) return { ...first, cells }
    // A target may be what another program took in the same run.
    const [, sign, , unit] = parsed(first.target)
    const limit = median(same.flatMap(({ target }) => (target ? Number(parsed(target)[2]) : [])))
    const value = cells[unit || 'ratio']
    return {
      ...first,
      cells,
      target: `${unit ? '' : 'ratio '}${sign} ${limit}${unit ? ` ${unit}` : ''}`,
      isMet: sign === '≤' ? value <= limit : value >= limit,
    }
  })
}

/** `ratio ≥ 3` and `≤ 350 MB`: sign, number, unit. */
function parsed(target) {
  return /([≤≥]) ([\d.]+) ?(.*)$/.exec(target)
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]
  return Number(((sorted[middle - 1] + sorted[middle]) / 2).toPrecision(3))
}

function figures() {
  const head = `Measured ${at.slice(0, 10)} on ${machine.cpus} cores (${machine.model}), ${machine.memoryGb} GB, Node.js ${machine.node}.`
  const tables = new Map([...grouped(rows)].map(([group, members]) => [group, table(members)]))
  const titles = [...earlier.matchAll(/^### (.*)$/gm)].map(([, title]) => title)
  const kept = earlier.split(/^### .*$/m).slice(1)
  const parts = [head, '![Ratio to the anchor](performance.svg)']
  for (const title of new Set([...titles, ...tables.keys()]))
    parts.push(`### ${title}`, tables.get(title) ?? kept[titles.indexOf(title)].trim())
  for (const { name, why } of skipped) parts.push(`Not measured: ${name} (${why}).`)
  return parts.join('\n\n') + '\n'
}

function table(members) {
  const columns = [...new Set(members.flatMap(({ cells }) => Object.keys(cells)))]
  const lines = members.map(({ name, cells, target = '', isMet }) => {
    const verdict = isMet === undefined ? '' : isMet ? 'met' : '**missed**'
    return line([
      name,
      ...columns.map((column) => cells[column]?.toLocaleString('en') ?? ''),
      target,
      verdict,
    ])
  })
  const head = [
    line(['case', ...columns, 'target', '']),
    line(['---', ...columns.map(() => '---:'), '---', '---']),
  ]
  return [...head, ...lines].join('\n')
}

function line(cells) {
  return `| ${cells.join(' | ')} |`
}

/** By the first two parts of the id: `serving/small/...` is a table of its own, `startup/...` is one. */
function grouped(all) {
  const groups = new Map()
  for (const row of all) {
    const [first, second = '', third] = row.id.split('/')
    const key = first === 'serving' && third !== undefined ? `${first}, ${second}` : first
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return groups
}

/** Bars of those rows that have a ratio; the line is the anchor itself. */
function chart() {
  const most = Math.max(1, ...bars.map(({ cells }) => cells.ratio))
  const [left, width, step] = [420, 400, 22]
  const scale = (ratio) => (ratio / most) * width
  const marks = bars.map(({ id, name, cells, isMet }, i) => {
    const y = 30 + i * step
    const size = id.startsWith('serving/') ? `${id.split('/')[1]}: ` : ''
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(size + name)}</text><rect x="${left}" y="${y}" width="${scale(cells.ratio).toFixed(1)}" height="16" fill="${isMet === false ? '#c0392b' : '#2e7d5b'}"/><text x="${(left + scale(cells.ratio) + 6).toFixed(1)}" y="${y + 13}">${cells.ratio}</text>`
  })
  const [height, x] = [50 + bars.length * step, left + scale(1)]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 60} ${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="${left}" y="18">rate, as a multiple of the anchor measured beside it</text>${marks.join('')}<line x1="${x}" x2="${x}" y1="24" y2="${height - 16}" stroke="#333" stroke-dasharray="4 3"/></svg>\n`
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

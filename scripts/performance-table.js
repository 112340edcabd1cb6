/**
 * `node scripts/performance-table.js FILE [DOCUMENT]`: puts the figures of `npm run bench -- --out FILE` into
 * docs/performance.md, between its two marks, and draws docs/performance.svg.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './setup.js'

const [, , from, document = join(root, 'docs', 'performance.md')] = process.argv
if (from === undefined) {
  console.error('Give the file that `npm run bench -- --out FILE` has written.')
  process.exit(2)
}
const START = '<!-- figures -->'
const END = '<!-- end of figures -->'
const { at, machine, rows, skipped } = JSON.parse(readFileSync(from, 'utf8'))

const text = readFileSync(document, 'utf8')
const [before, rest] = text.split(START)
const after = rest?.split(END)[1]
if (after === undefined) {
  console.error(`${document} lacks the lines ${START} and ${END}.`)
  process.exit(1)
}
writeFileSync(document, `${before}${START}\n\n${figures()}\n${END}${after}`)
writeFileSync(join(dirname(document), 'performance.svg'), chart())

function figures() {
  const head = `Measured ${at.slice(0, 10)} on ${machine.cpus} cores (${machine.model}), ${machine.memoryGb} GB, Node.js ${machine.node}.\n`
  const parts = [head, '![Ratio to the anchor](performance.svg)\n']
  for (const [group, members] of grouped(rows)) {
    const columns = [...new Set(members.flatMap(({ cells }) => Object.keys(cells)))]
    parts.push(`### ${group}\n`)
    parts.push(line(['case', ...columns, 'target', '']))
    parts.push(line(['---', ...columns.map(() => '---:'), '---', '---']))
    for (const { name, cells, target = '', isMet } of members) {
      const verdict = isMet === undefined ? '' : isMet ? 'met' : '**missed**'
      const values = columns.map((column) => cells[column]?.toLocaleString('en') ?? '')
      parts.push(line([name, ...values, target, verdict]))
    }
    parts.push('')
  }
  for (const { name, why } of skipped) parts.push(`Not measured: ${name} (${why}).\n`)
  return parts.join('\n')
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
  const bars = rows.filter(({ cells }) => cells.ratio !== undefined)
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

/**
 * Draws a CPU profile of V8 (`node --cpu-prof`) as a flame graph in SVG: width is time, depth is who called whom. Idle time is
 * left out, and so is what takes less than a pixel.
 */
import { basename } from 'node:path'

const WIDTH = 1200
const ROW = 17
const LEAST_WIDTH = 1
const LETTER = 6.6
const COLOURS = { own: '#e8a33d', library: '#c9b458', node: '#7aa6c2', engine: '#b7b7b7' }
const NOT_WORK = new Set(['(root)', '(idle)'])

/**
 * @param profile the parsed `.cpuprofile`
 * @param title one line above it
 * @returns the drawing, and the share of each function by its own time, the largest first
 */
export function flameGraph(profile, title) {
  const tree = timedTree(profile)
  const bars = []
  layOut(tree, 0, 0, WIDTH / Math.max(1, tree.total), bars)
  const depth = Math.max(...bars.map(({ level }) => level)) + 1
  const height = depth * ROW + 44
  const drawn = bars.map((bar) => drawing(bar, height, tree.total)).join('\n')
  const legend = Object.entries({
    own: 'Orrery',
    library: 'libraries',
    node: 'Node.js',
    engine: 'V8, system, garbage collection',
  })
    .map(
      ([kind, text], i) =>
        `<rect x="${10 + i * 150}" y="${height - 14}" width="10" height="10" fill="${COLOURS[kind]}"/><text x="${24 + i * 150}" y="${height - 5}">${text}</text>`,
    )
    .join('')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text x="10" y="15" font-size="13">${escaped(title)}</text>\n${drawn}\n${legend}</svg>\n`
  return { svg, shares: sharesOf(tree) }
}

/** Nodes by caller, calls of one function merged, with microseconds of their own and in total. */
function timedTree({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const own = new Map()
  samples.forEach((id, i) => own.set(id, (own.get(id) ?? 0) + Math.max(0, timeDeltas[i])))
  const build = (merged) => {
    const children = new Map()
    let self = 0
    for (const { id, children: ids = [] } of merged) {
      self += own.get(id) ?? 0
      for (const child of ids.map((one) => byId.get(one))) {
        const { functionName, url } = child.callFrame
        if (functionName === '(idle)') continue
        const key = `${functionName} ${url}`
        children.set(key, [...(children.get(key) ?? []), child])
      }
    }
    const { functionName, url } = merged[0].callFrame
    const below = [...children.values()].map(build).sort((a, b) => b.total - a.total)
    return {
      name: functionName || '(anonymous)',
      url,
      self: NOT_WORK.has(functionName) ? 0 : self,
      total: below.reduce((sum, { total }) => sum + total, NOT_WORK.has(functionName) ? 0 : self),
      children: below,
    }
  }
  return build([nodes[0]])
}

function layOut(node, x, level, scale, bars) {
  bars.push({ ...node, x, level, width: node.total * scale })
  let at = x
  for (const child of node.children) {
    const width = child.total * scale
    if (width >= LEAST_WIDTH) layOut(child, at, level + 1, scale, bars)
    at += width
  }
}

function drawing({ name, url, x, level, width, total }, height, all) {
  const y = height - 24 - (level + 1) * ROW
  const text = label(name, url)
  const room = Math.floor((width - 4) / LETTER)
  const shown =
    room < 3
      ? ''
      : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(text.length > room ? `${text.slice(0, room - 1)}…` : text)}</text>`
  return `<g><title>${escaped(`${text}: ${((total / all) * 100).toFixed(1)} %`)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[kindOf(url)]}"/>${shown}</g>`
}

const label = (name, url) => (url === '' ? name : `${name} ${basename(url)}`)

function kindOf(url) {
  if (url === '') return 'engine'
  if (url.startsWith('node:')) return 'node'
  return url.includes('/node_modules/') ? 'library' : 'own'
}

function sharesOf(tree) {
  const found = new Map()
  const walk = ({ name, url, self, children }) => {
    if (self > 0) found.set(label(name, url), (found.get(label(name, url)) ?? 0) + self / tree.total)
    children.forEach(walk)
  }
  walk(tree)
  return [...found].sort(([, a], [, b]) => b - a)
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

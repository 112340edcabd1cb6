/** An explanation for people: one line per filter, and the grounds of the authorization decision below it. */
import { type Explained } from '../serving/explain.js'
import { styleText } from './style.js'

export function explanationText({ method, path, steps }: Explained): string {
  const width = Math.max(...steps.map(({ filter }) => filter.length))
  const lines = steps.flatMap(({ filter, outcome, summary, detail }) => [
    `  ${mark(outcome)} ${filter.padEnd(width)}  ${summary}`,
    ...detailLines(detail).map((line) => `    ${' '.repeat(width)}  ${styleText('dim', line)}`),
  ])
  return [styleText('bold', `${method} ${path}`), ...lines].join('\n')
}

function mark(outcome: string): string {
  return outcome === 'continues' ? styleText('green', '↓') : styleText('yellow', '■')
}

/** `key: value` for each thing that says something. */
function detailLines(detail: unknown): string[] {
  if (detail === null || typeof detail !== 'object') return []
  return Object.entries(detail).flatMap(([key, value]) => {
    if (value === '' || value === undefined || value === false) return []
    if (Array.isArray(value) && value.length === 0) return []
    return [`${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`]
  })
}

/** The queries of panels. */
import { type Json } from './fields.js'

const INTERVAL = /\$_{0,2}interval\b/g
const STEP = '1m'

/** @param position from 1: what our panels tell queries apart by */
export function targetOf({ expr, legendFormat }: Json, position: number): Json {
  return {
    refId: position,
    ...(typeof legendFormat === 'string' && { legendFormat: withoutBlanks(legendFormat) }),
    ...(typeof expr === 'string' && queryOf(expr)),
  }
}

/** Variables have no values here, so selectors, where they stand, go; a threshold alone makes no sense then. */
function queryOf(expr: string): Json {
  if (!expr.includes('{')) return { expr }
  const rewritten = withoutSelectors(expr.replace(INTERVAL, '3m')).replace(/>\d+/g, '')
  return rewritten.trim() === '' ? { expr } : { expr: rewritten, step: STEP }
}

/** Each brace to the next that closes. By hand: a regular expression would look to the end for each that nothing closes. */
function withoutSelectors(text: string): string {
  let kept = ''
  for (let at = 0; ;) {
    const open = text.indexOf('{', at)
    const close = open === -1 ? -1 : text.indexOf('}', open)
    if (close === -1) return kept + text.slice(at)
    kept += text.slice(at, open)
    at = close + 1
  }
}

function withoutBlanks(legend: string): string {
  return legend
    .split('{{')
    .map((part, index) => {
      const close = part.indexOf('}}')
      return index === 0 || close === -1 ? part : part.slice(0, close).trim() + part.slice(close)
    })
    .join('{{')
}

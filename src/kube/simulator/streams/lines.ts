/** What a simulated container has printed, line by line, and what it is going to print. */
import { type Step } from '../shell/run.js'

export interface Line {
  at: number
  text: string
}

/** More is not looked through, however long a container has run. */
const STEPS_LIMIT = 500_000
const TEXT_LIMIT = 16 * 1024 * 1024

/** Lines in their order; the caller stops where time is not come yet. The last may lack its newline. */
export function* linesOf(steps: Iterable<Step>, startedAt: number): Generator<Line> {
  let at = startedAt
  let open: Line | undefined
  let count = 0
  let size = 0
  for (const step of steps) {
    if (++count > STEPS_LIMIT) return
    if ('waitMs' in step) {
      at += step.waitMs
      continue
    }
    if ('ask' in step) continue
    size += step.text.length
    if (size > TEXT_LIMIT) return
    const parts = step.text.toString().split('\n')
    for (const [index, part] of parts.entries()) {
      open ??= { at, text: '' }
      open.text += part
      if (index === parts.length - 1) {
        if (open.text === '') open = undefined
        break
      }
      yield { ...open, text: `${open.text}\n` }
      open = undefined
    }
  }
  if (open) yield open
}

/** What benchmarks have found: a table for people, a file for programs, and which targets were missed. */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { type Measured } from './_load.js'

export interface Row {
  id: string
  name: string
  cells: Record<string, number>
  /** Undefined where there is no target. */
  isMet?: boolean
  /** Missed by so much that no slow machine explains it. */
  isLost?: boolean
  target?: string
}

interface Figures {
  measured?: Measured
  anchor?: Measured
  /** Whose CPU the row shows. */
  process?: string
  /** Of the anchor, when it is a process of its own. */
  anchorProcess?: string
  atLeastRatio?: number
  value?: number
  unit?: string
  atMost?: number
  atLeast?: number
}

export function row(id: string, name: string, figures: Figures): Row {
  const { measured, anchor, value, unit = '', atMost, atLeast, atLeastRatio } = figures
  const cells: Record<string, number> = {}
  if (value !== undefined) cells[unit] = round(value)
  if (measured) {
    cells['req/s'] = Math.round(measured.perSecond)
    const cpu = measured.cpuMs[figures.process ?? '']
    if (cpu !== undefined) cells['CPU ms'] = round(cpu)
    cells['p50 ms'] = round(measured.p50Ms)
    cells['p99 ms'] = round(measured.p99Ms)
    cells['failed'] = measured.failed
  }
  if (measured && anchor) {
    cells['anchor req/s'] = Math.round(anchor.perSecond)
    cells['ratio'] = round(measured.perSecond / Math.max(1, anchor.perSecond))
    const theirs = anchor.cpuMs[figures.anchorProcess ?? '']
    if (theirs !== undefined) cells['anchor CPU ms'] = round(theirs)
  }
  const base = { id, name, cells }
  if (atLeastRatio !== undefined) {
    const ratio = cells['ratio'] ?? 0
    return {
      ...base,
      target: `ratio ≥ ${atLeastRatio}`,
      isMet: ratio >= atLeastRatio,
      // Where the anchor itself hardly got a turn, nothing can be told.
      isLost:
        (anchor?.perSecond ?? 0) >= SOME_PER_SECOND &&
        (ratio * FAR < atLeastRatio || cells['failed'] === cells['req/s']),
    }
  }
  if (atLeast !== undefined && value !== undefined)
    return {
      ...base,
      target: `≥ ${round(atLeast)} ${unit}`,
      isMet: value >= atLeast,
      isLost: value * FAR < atLeast,
    }
  if (atMost !== undefined && value !== undefined)
    return {
      ...base,
      target: `≤ ${round(atMost)} ${unit}`,
      isMet: value <= atMost,
      isLost: value > atMost * FAR,
    }
  return base
}

const FAR = 10
const SOME_PER_SECOND = 200
const round = (value: number): number => Number(value.toPrecision(3))

export class Report {
  readonly rows: Row[] = []
  readonly skipped: { name: string; why: string }[] = []

  /** Shown at once: a run takes minutes. */
  add(added: Row): void {
    this.rows.push(added)
    const cells = Object.entries(added.cells)
      .map(([name, value]) => `${name} ${value.toLocaleString('en')}`)
      .join('  ')
    const verdict =
      added.isMet === undefined
        ? ''
        : added.isMet
          ? `  [${added.target ?? ''}: met]`
          : `  [${added.target ?? ''}: MISSED]`
    console.log(`${added.name.padEnd(44)} ${cells}${verdict}`)
  }

  skip(name: string, why: string): void {
    this.skipped.push({ name, why })
    console.log(`SKIPPED ${name}: ${why}`)
  }

  write(file: string): void {
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? '',
      memoryGb: Math.round(totalmem() / 1024 ** 3),
      node: process.version,
    }
    const result = { at: new Date().toISOString(), machine, rows: this.rows, skipped: this.skipped }
    writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`)
  }
}

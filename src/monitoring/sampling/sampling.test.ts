import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCatalogue } from '../definitions.js'
import { DERIVED } from './derived.js'
import { Frames } from './frames.js'
import { Sampler } from './sampler.js'
import { type SampledSeries, type Snapshot } from './series.js'

const HOUR = 3_600
let directory: string
let frames: Frames

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-samples-'))
  frames = opened()
})
afterEach(() => {
  frames.close()
  rmSync(directory, { recursive: true })
})

function opened(options: Partial<ConstructorParameters<typeof Frames>[0]> = {}): Frames {
  return new Frames({
    file: join(directory, 'samples.db'),
    maxAgeSeconds: 24 * HOUR,
    maxBytes: 1 << 20,
    ...options,
  })
}

function snapshot(time: number, nodes: Record<string, number>): Snapshot {
  const node = Object.entries(nodes).map(([name, cores]): SampledSeries => ({
    labels: { node: name },
    values: { node_cpu_usage: cores },
  }))
  const levels = { cluster: [], workspace: [], namespace: [], workload: [], pod: [], container: [] }
  return { time, levels: { ...levels, node } }
}

const cores = (series: readonly SampledSeries[]): unknown[] =>
  series.map(({ labels, values }) => [labels['node'], values['node_cpu_usage']])

describe('samples of the cluster', () => {
  it('are there after a restart', () => {
    frames.add(snapshot(100, { a: 1.5, b: 2 }))
    frames.close()
    frames = opened()

    expect(frames.times('node', 0, 200)).toEqual([100])
    expect(cores(frames.series('node', 100))).toEqual([
      ['a', 1.5],
      ['b', 2],
    ])
  })

  it('go when they are old', () => {
    frames.add(snapshot(0, { a: 1 }))
    frames.add(snapshot(HOUR, { a: 1 }))
    frames.add(snapshot(25 * HOUR, { a: 1 }))

    expect(frames.times('node', 0, 30 * HOUR)).toEqual([HOUR, 25 * HOUR])
  })

  it('never take more than their share, the oldest going first', () => {
    frames.close()
    frames = opened({ maxBytes: 70_000 })
    for (let i = 1; i <= 200; i++)
      frames.add(
        snapshot(
          i * 60,
          Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`node-${n}`, Math.random() + n])),
        ),
      )

    const times = frames.times('node', 0, 200 * 60)
    expect(frames.sizeBytes).toBeLessThanOrEqual(70_000)
    expect(times.length).toBeGreaterThan(5)
    expect(times.at(-1)).toBe(200 * 60)
  })

  it('that cannot be read are put aside, and others are taken', () => {
    frames.close()
    const file = join(directory, 'samples.db')
    for (const name of readdirSync(directory)) rmSync(join(directory, name))
    writeFileSync(file, 'this is no database at all, but long enough to be looked at as one'.repeat(100))
    const told: string[] = []
    frames = opened({ damaged: (movedTo) => told.push(movedTo) })
    frames.add(snapshot(100, { a: 1 }))

    expect(told).toEqual([expect.stringContaining('samples.db.damaged-')])
    expect(frames.times('node', 0, 200)).toEqual([100])
  })
})

describe('a range over samples', () => {
  function range(start: number, end: number, step: number): [number, unknown][] {
    const sampler = new Sampler({
      stores: undefined as never,
      informers: { informer: () => undefined } as never,
      client: undefined as never,
      frames,
      intervalMs: 60_000,
      logger: undefined as never,
      now: () => new Date(0),
    })
    return sampler
      .range('node', { start, end, step })
      .map(({ time, series }) => [time, series[0]?.values['node_cpu_usage']])
  }

  it('has the last sample before each step, and nothing where none is five minutes near', () => {
    for (const minute of [10, 11, 12, 13, 30, 31]) frames.add(snapshot(minute * 60, { a: minute }))

    expect(range(10 * 60, 40 * 60, 120)).toEqual([
      [600, 10],
      [720, 12],
      [840, 13],
      [960, 13],
      [1_800, 30],
      [1_920, 31],
      [2_040, 31],
    ])
  })

  it('of times long before the first sample takes no longer than what is there', () => {
    frames.add(snapshot(2_000_000_000, { a: 1 }))

    expect(range(0, 2_000_000_060, 60)).toHaveLength(1)
  })
})

it('are of metrics that there are, and the guide lists them all', async () => {
  const catalogue = await readCatalogue('config/metrics')
  const guide = await readFile('docs/guides/monitoring.md', 'utf8')
  for (const [level, derived] of Object.entries(DERIVED)) {
    const known = catalogue.level(level).metrics.map(({ name }) => name)
    expect(derived.filter((name) => !known.includes(name))).toEqual([])
    expect(derived.filter((name) => !guide.includes(`\`${name}\``))).toEqual([])
  }
})

/**
 * The named metrics: data in `config/metrics`, one file a level, read when the first question comes.
 *
 * A query has places, `$node` and the like, which a question fills with matchers; `$1` in a label_replace is none.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface MetricDefinition {
  name: string
  help: string
  unit: string
  /** Labels to expect of a series, beside the name. */
  labels: readonly string[]
  expr: string
  /** Of the level component: which. */
  component?: string
  /** Runs only when a filter asks for it: clients of older releases do not know it. */
  onRequest?: boolean
  note?: string
}

export interface LevelDefinition {
  level: string
  /** The label that tells resources apart; levels without one are never sorted. */
  identifier?: string
  metrics: readonly MetricDefinition[]
}

/** The prefix of names that only metering serves. */
export const METER = 'meter_'

export class Catalogue {
  readonly #levels: ReadonlyMap<string, LevelDefinition>

  constructor(levels: readonly LevelDefinition[]) {
    this.#levels = new Map(levels.map((definition) => [definition.level, definition]))
  }

  get levels(): readonly LevelDefinition[] {
    return [...this.#levels.values()]
  }

  /** An unknown level has no metrics. */
  level(name: string): LevelDefinition {
    return this.#levels.get(name) ?? { level: name, metrics: [] }
  }
}

/** @returns a function that reads the files once, and again after a failure */
export function lazyCatalogue(directory: string): () => Promise<Catalogue> {
  let reading: Promise<Catalogue> | undefined
  return () => {
    reading ??= readCatalogue(directory).catch((error: unknown) => {
      reading = undefined
      throw error
    })
    return reading
  }
}

export async function readCatalogue(directory: string): Promise<Catalogue> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).sort()
  return new Catalogue(
    await Promise.all(
      files.map(async (file) => levelOf(parse(await readFile(join(directory, file), 'utf8')), file)),
    ),
  )
}

function levelOf(value: unknown, file: string): LevelDefinition {
  const { level, metrics } = (value ?? {}) as Partial<LevelDefinition>
  if (typeof level !== 'string' || !Array.isArray(metrics)) throw new Error(`${file}: no level or no metrics`)
  const names = new Set<string>()
  for (const { name, expr } of metrics as Partial<MetricDefinition>[]) {
    if (typeof name !== 'string' || typeof expr !== 'string')
      throw new Error(`${file}: a metric lacks name or expr`)
    if (names.has(name)) throw new Error(`${file}: ${name} is there twice`)
    names.add(name)
  }
  return value as LevelDefinition
}

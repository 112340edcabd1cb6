/** The stages and images under config/stages, read when first asked for and kept. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export interface Stage {
  name: string
  when: Readonly<Record<string, unknown>>
  delay?: { seconds?: number; jitter?: number; from?: 'backoff' | 'run' | 'ready' | 'unhealthy' }
  restart?: boolean
  next: Readonly<Record<string, unknown>>
  events?: readonly (readonly [type: 'Normal' | 'Warning', reason: string, message: string])[]
}

export interface ImageFacts {
  match: readonly string[]
  pull?: string
  idle?: 'serve' | 'exit'
  entrypoint?: 'shell'
  logs?: readonly string[]
  every?: { seconds: number; line: string }
  /** What its declared ports answer to HTTP. */
  page?: { type: string; text: string }
}

export const containerStages = lazy(() => read<{ stages: Stage[] }>('containers.yaml').stages)
export const images = lazy(() => read<{ images: ImageFacts[] }>('images.yaml').images)

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function read<T>(name: string): T {
  // Sources run from src/, the build from dist/: config/ lies beside either.
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const file = join(at, 'config', 'stages', name)
    if (existsSync(file)) return parse(readFileSync(file, 'utf8')) as T
    if (at === dirname(at)) throw new Error('config/stages is missing beside the program')
  }
}

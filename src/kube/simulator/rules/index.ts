/** What simulated containers do, as data: the files under config/stages, and those of `--stages` before them. */
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

export interface ImageRule {
  match: readonly string[]
  /** Patterns of the whole command, words joined by spaces. Without: whatever the command is. */
  command?: readonly string[]
  /** Why it cannot be pulled. */
  pull?: string
  idle?: 'serve' | 'exit'
  entrypoint?: 'shell'
  /** How long it runs before it ends. */
  seconds?: number
  exitCode?: number
  logs?: readonly string[]
  every?: { seconds: number; line: string }
  /** What its declared ports answer to HTTP. */
  page?: { type: string; text: string }
}

/** Read when first asked for. */
export interface Rules {
  stages: () => readonly Stage[]
  images: () => readonly ImageRule[]
}

export const builtinRules: Rules = {
  stages: lazy(() => read<{ stages: Stage[] }>('containers.yaml').stages),
  images: lazy(() => read<{ images: ImageRule[] }>('images.yaml').images),
}

/** Stages take the place of those of their name; images come before the others, since the first that fits counts. */
export function rulesWith(more: { stages: readonly Stage[]; images: readonly ImageRule[] }): Rules {
  const names = new Set(more.stages.map(({ name }) => name))
  return {
    stages: lazy(() => [...more.stages, ...builtinRules.stages().filter(({ name }) => !names.has(name))]),
    images: lazy(() => [...more.images, ...builtinRules.images()]),
  }
}

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

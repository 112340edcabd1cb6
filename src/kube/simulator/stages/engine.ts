/** Decides which stage a container is in for, when it is due, and what it leaves behind. */
import { type Stage } from '../rules/index.js'

/** What `when` may ask, what `${...}` stands for, and the durations of its own, in seconds. */
export interface View {
  facts: Readonly<Record<string, string | boolean | undefined>>
  texts: Readonly<Record<string, unknown>>
  durations: Readonly<Record<'backoff' | 'run' | 'ready' | 'unhealthy', number>>
  /** The same for the same container: what jitter is made of. */
  seed: string
}

export interface Due {
  stage: Stage
  /** Milliseconds after the container entered its state. */
  delayMs: number
}

/** @returns undefined when the container stays as it is */
export function nextStage(stages: readonly Stage[], view: View): Due | undefined {
  let first: Due | undefined
  for (const stage of stages) {
    if (!applies(stage, view)) continue
    const delayMs = delayOf(stage, view)
    if (!first || delayMs < first.delayMs) first = { stage, delayMs }
  }
  return first
}

function applies({ when }: Stage, { facts }: View): boolean {
  return Object.entries(when).every(
    ([name, wanted]) =>
      // Its image has been looked at.
      name === 'image' || (Array.isArray(wanted) ? wanted.includes(facts[name]) : wanted === facts[name]),
  )
}

function delayOf({ name, delay }: Stage, { durations, seed }: View): number {
  if (!delay) return 0
  const seconds = delay.from === undefined ? (delay.seconds ?? 0) : durations[delay.from]
  return (seconds + (delay.jitter ?? 0) * share(`${seed}/${name}`)) * 1000
}

/** From 0 up to 1, always the same for the same text. */
export function share(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  // The low bits of short texts differ little.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}

/** Fills placeholders in. A text that is one placeholder becomes what it stands for, number or object. */
export function filled<T>(value: T, texts: View['texts']): T {
  if (typeof value === 'string') {
    const only = /^\$\{(\w+)\}$/.exec(value)
    if (only) return texts[only[1] ?? ''] as T
    return value.replace(/\$\{(\w+)\}/g, (_all, name: string) => textOf(texts[name])) as T
  }
  if (Array.isArray(value)) return value.map((each: unknown) => filled(each, texts)) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, filled(each as unknown, texts)]),
  ) as T
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

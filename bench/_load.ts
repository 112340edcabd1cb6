/**
 * Load from a process of its own, and what it costs the processes that answer.
 *
 * `wrk` sends: it takes a tenth of the CPU of a client in JavaScript, so that on two cores the server is what is
 * measured.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Target {
  url: string
  token: string
  headers?: Record<string, string>
}

export interface Measured {
  perSecond: number
  /** Of each watched process, per request. */
  cpuMs: Record<string, number>
  p50Ms: number
  p99Ms: number
  /** Answers other than 2xx and 3xx, and broken connections. */
  failed: number
}

export function haveWrk(): boolean {
  try {
    execFileSync('wrk', ['--version'], { stdio: 'ignore' })
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'ENOENT'
  }
}

/** @param processes name → pid, whose CPU counts */
export async function load(
  { url, token, headers = {} }: Target,
  seconds: number,
  processes: Record<string, number> = {},
  connections = 32,
): Promise<Measured> {
  const all = { ...headers, authorization: `Bearer ${token}` }
  const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s', '--latency']
  for (const [name, value] of Object.entries(all)) args.push('-H', `${name}: ${value}`)
  const before = cpuOf(processes)
  const text = await outputOf('wrk', [...args, url])
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0)
  const cpuMs = cpuSince(before, processes, requests)
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? []
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    cpuMs,
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
    failed: bad + errors.reduce((sum, count) => sum + Number(count), 0),
  }
}

/**
 * As many requests a second whatever becomes of them: what one user feels when others do not wait for each other. `load`
 * sends as much as is answered, so that a slower server is also asked at its own limit.
 *
 * @param pacer compiled from `bench/pacer`
 */
export async function paced(
  pacer: string,
  { url, token }: Target,
  rate: number,
  seconds: number,
  processes: Record<string, number> = {},
  connections = 32,
): Promise<Measured> {
  const before = cpuOf(processes)
  const text = await outputOf(pacer, [url, token, ...[rate, connections, seconds].map(String)])
  const { requests, ...measured } = JSON.parse(text) as Omit<Measured, 'cpuMs'> & { requests: number }
  return { ...measured, cpuMs: cpuSince(before, processes, requests) }
}

/** Of several rounds, figure by figure. */
export function medianOf(rounds: readonly Measured[]): Measured {
  const names = Object.keys(rounds[0]?.cpuMs ?? {})
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuMs: Object.fromEntries(
      names.map((name) => [name, median(rounds.map(({ cpuMs }) => cpuMs[name] ?? 0))]),
    ),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** User and system time in milliseconds; the kernel counts hundredths of a second. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Now and at most so far, in MB. */
export function memoryOf(pid: number): { residentMb: number; peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (field: string): number =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024)
  return { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') }
}

function cpuOf(processes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, cpuMsOf(pid)]))
}

function cpuSince(
  before: Record<string, number>,
  processes: Record<string, number>,
  requests: number,
): Record<string, number> {
  const spent = Object.entries(cpuOf(processes)).map(([name, ms]) => [
    name,
    (ms - (before[name] ?? 0)) / Math.max(1, requests),
  ])
  return Object.fromEntries(spent) as Record<string, number>
}

function milliseconds(match: RegExpExecArray | null): number {
  const [, number = '0', unit = 'ms'] = match ?? []
  return Number(number) * ({ us: 0.001, ms: 1, s: 1_000 }[unit] ?? 1)
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code ?? 'a signal'}`)),
    )
  })
}

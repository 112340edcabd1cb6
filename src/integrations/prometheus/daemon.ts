/** A Prometheus of our own: found on PATH, started, started again when it ends, and stopped with us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { type Logger } from '../../client/log.js'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** Who ran as long as this did not fail at the start. */
const HEALTHY_MS = 60_000
/** It writes what it has in memory. */
const STOP_MS = 10_000
const EVERY = '15s'
const RETENTION = ['--storage.tsdb.retention.time=15d', '--storage.tsdb.retention.size=1GB']

export interface DaemonOptions {
  program: string
  /** Made when it is not there; configuration and data are kept in it. */
  directory: string
  /** Groups of recording rules. */
  groups: readonly object[]
  jobs: readonly string[]
  /** `host:port` of what is scraped, a path for each job. */
  target: string
  token: string
  /** Of scrapes and rules; default 15s. */
  every?: string | undefined
  logger: Logger
}

/**
 * @param path directories, as in PATH
 * @returns undefined when it is in none of them
 */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return statSync(file).isFile()
      } catch {
        return false
      }
    })
}

export class PrometheusDaemon {
  readonly url: string
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS
  #isClosed = false
  /** A start that fails later ends the process without closing anything. */
  readonly #endWithProcess = (): void => void this.#child?.kill('SIGKILL')

  private constructor(
    private readonly options: DaemonOptions,
    private readonly port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`
  }

  /** Does not wait until it answers: until then metrics say so. */
  static async start(options: DaemonOptions): Promise<PrometheusDaemon> {
    const daemon = new PrometheusDaemon(options, await freePort())
    daemon.#configure()
    endForgotten(join(options.directory, 'pid'), options.directory)
    process.once('exit', daemon.#endWithProcess)
    daemon.#run()
    return daemon
  }

  /** For those who end it to see it come back. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    process.off('exit', this.#endWithProcess)
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(late)
  }

  #at(name: string): string {
    return join(this.options.directory, name)
  }

  #configure(): void {
    const { directory, groups, jobs, target, token, every = EVERY } = this.options
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const write = (name: string, text: string): void => writeFileSync(this.#at(name), text, { mode: 0o600 })
    write('token', token)
    // On one machine there is little to evaluate, and somebody waits for the first graph.
    write('rules.yml', stringify({ groups: groups.map((group) => ({ ...group, interval: every })) }))
    write(
      'prometheus.yml',
      stringify({
        global: { scrape_interval: every, evaluation_interval: every, scrape_timeout: every },
        rule_files: [this.#at('rules.yml')],
        scrape_configs: jobs.map((job) => ({
          job_name: job,
          // The series tell of other instances than the one that is scraped.
          honor_labels: true,
          metrics_path: `/${job}`,
          authorization: { credentials_file: this.#at('token') },
          static_configs: [{ targets: [target] }],
        })),
      }),
    )
  }

  #run(): void {
    const { program, logger } = this.options
    const startedAt = Date.now()
    const child = spawn(
      program,
      [
        `--config.file=${this.#at('prometheus.yml')}`,
        `--storage.tsdb.path=${this.#at('data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--log.level=warn',
        ...RETENTION,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    this.#child = child
    if (child.pid !== undefined) writeFileSync(this.#at('pid'), String(child.pid))
    let last = ''
    if (child.stderr)
      createInterface(child.stderr).on('line', (line) => {
        last = line
        logger.debug({ line }, 'Prometheus said something')
      })
    let isOver = false
    const ended = (fields: object): void => {
      if (isOver) return
      isOver = true
      rmSync(this.#at('pid'), { force: true })
      if (this.#isClosed) return
      if (Date.now() - startedAt >= HEALTHY_MS) this.#pauseMs = FIRST_PAUSE_MS
      logger.warn({ ...fields, last, again: this.#pauseMs }, 'Prometheus ended, and is started again')
      this.#timer = setTimeout(() => this.#run(), this.#pauseMs).unref()
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
    }
    child.once('error', (error) => ended({ err: error }))
    child.once('exit', (code, signal) => ended({ code, signal }))
  }
}

/** One of a process of ours that was killed still holds the data. */
function endForgotten(file: string, directory: string): void {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    const isOurs = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)
    if (Number.isSafeInteger(pid) && pid > 1 && isOurs) process.kill(pid, 'SIGKILL')
  } catch {
    // There is none, or it has ended.
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

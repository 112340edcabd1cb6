/**
 * What lives in the data directory, and where.
 *
 *   kube/            the embedded Kubernetes API: its store and its certificates
 *   records/         log lines, Events and audit events, while no Elasticsearch is configured
 *   samples.db       samples of the cluster, while no Prometheus is configured
 *   prometheus/      what --prometheus measures
 *   notification/    alerts that were accepted, and what became of them
 *   kubeconfig       administrator access to the embedded Kubernetes API
 *   secrets.json     key of the token signatures, made on first start (mode 0600)
 *   running.json     address and process id of the running server, for the other commands
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const DEFAULT_DATA_DIR = '.orrery'

export interface DataDirectory {
  path: string
  kube: string
  /** The files of its storage. */
  store: string
  kubeconfig: string
  /** Log lines, Events and audit events. */
  records: string
  samples: string
  /** Of --prometheus. */
  prometheus: string
}

export function dataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  return {
    path: root,
    kube: join(root, 'kube'),
    store: join(root, 'kube', 'store'),
    kubeconfig: join(root, 'kubeconfig'),
    records: join(root, 'records'),
    samples: join(root, 'samples.db'),
    prometheus: join(root, 'prometheus'),
  }
}

interface Secrets {
  jwtSecret: string
}

/** The secret that signs tokens when the configuration names none; made once and kept. */
export function localSecrets({ path }: DataDirectory): Secrets {
  const file = join(path, 'secrets.json')
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error })
    }
  }
  const secrets: Secrets = { jwtSecret: randomBytes(32).toString('base64url') }
  writePrivate(path, file, secrets)
  return secrets
}

export interface Running {
  pid: number
  url: string
}

export function announce({ path }: DataDirectory, running: Running): void {
  writePrivate(path, join(path, 'running.json'), running)
}

export function withdraw({ path }: DataDirectory): void {
  rmSync(join(path, 'running.json'), { force: true })
}

/** @returns undefined when no server runs on this directory */
export function runningServer({ path }: DataDirectory): Running | undefined {
  try {
    const running = JSON.parse(readFileSync(join(path, 'running.json'), 'utf8')) as Running
    process.kill(running.pid, 0)
    return running
  } catch {
    return undefined
  }
}

function writePrivate(directory: string, file: string, value: unknown): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

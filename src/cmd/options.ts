/** Flags that several commands share, and how they become the configuration. */
import { homedir } from 'node:os'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration, type Loaded } from '../configuration/load.js'
import { UsageError } from './failures.js'

export interface ConfigurationFlags {
  config?: string
  kubeconfig?: string
}

/** Where the original looks, in its order. */
const DIRECTORIES = ['/etc/kubesphere', '.']

export function loadForCommand({ config, kubeconfig }: ConfigurationFlags): Loaded {
  return loadConfiguration({
    file: config,
    directories: DIRECTORIES,
    environment: process.env,
    overrides: { ...(kubeconfig !== undefined && { 'kubernetes.kubeconfig': kubeconfig }) },
  })
}

/**
 * Which cluster the separate server works on: the flag or the configuration, then $KUBECONFIG, then the home
 * directory, then the service account of a pod.
 */
/** A path, or `in-cluster`. */
export function kubeconfigFor(configured: string): string {
  if (configured !== '') {
    if (!existsSync(configured)) throw new UsageError(`The kubeconfig ${configured} does not exist.`)
    return configured
  }
  const named = process.env['KUBECONFIG']
  if (named !== undefined && named !== '') return named
  const home = join(homedir(), '.kube', 'config')
  if (existsSync(home)) return home
  if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) return 'in-cluster'
  throw new UsageError(
    'No Kubernetes API to work on: give --kubeconfig FILE, or use `orrery up`, which brings its own.',
  )
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** @throws UsageError */
export function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`"${text}" is not a port: give a whole number from 0 to 65535 (0 picks a free one).`)
  }
  return port
}

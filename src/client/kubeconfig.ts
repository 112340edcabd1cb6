/**
 * Reads kubeconfig files, and what a pod is given to reach its own cluster.
 *
 * Several files merge as kubectl merges them: the first to name a thing wins. Paths in a file are relative
 * to it. What we cannot do (proxies, authentication providers removed from kubectl) is refused by name
 * rather than passed over.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type AuthConfig, type ClientConfig } from './config.js'
import { type TlsOptions } from './http/dial.js'

/** The message names the file or the entry at fault, and never a secret. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

export interface KubeconfigOptions {
  /** In order of precedence. Those that do not exist are passed over as long as one does. */
  paths: readonly string[]
  /** In place of the current context. */
  context?: string
  /** What programs that supply credentials are started with; PATH at least. */
  environment?: Readonly<Record<string, string | undefined>>
}

type Fields = Record<string, unknown>

/** A named entry and the folder its paths are relative to. */
interface Entry {
  fields: Fields
  folder: string
}

/** @throws KubeconfigError */
export function loadKubeconfig({ paths, context, environment = {} }: KubeconfigOptions): ClientConfig {
  const present = paths.filter((path) => path !== '' && existsSync(path))
  if (present.length === 0) throw new KubeconfigError(`no kubeconfig at ${paths.join(' or ')}`)
  const merged = new Merged()
  for (const path of present) merged.add(readText(path), path)
  return merged.resolve(context, environment)
}

export interface KubeconfigTextOptions extends Omit<KubeconfigOptions, 'paths'> {
  /** What paths in the text are relative to. */
  folder?: string
  /** For texts of others: files of this machine are not read, and no program is started. */
  selfContained?: boolean
}

/** @throws KubeconfigError */
export function parseKubeconfig(
  text: string,
  { folder = '.', context, environment = {}, selfContained = false }: KubeconfigTextOptions = {},
): ClientConfig {
  const merged = new Merged()
  merged.add(text, join(folder, 'kubeconfig'))
  if (selfContained) merged.demandSelfContained()
  return merged.resolve(context, environment)
}

export interface InClusterOptions {
  /** Where the pod's service account is mounted. */
  folder?: string
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; by default the name every cluster's DNS serves. */
  host?: string
  port?: string
}

/** @throws KubeconfigError outside of a pod */
export function loadInClusterConfig({
  folder = '/var/run/secrets/kubernetes.io/serviceaccount',
  host = 'kubernetes.default.svc',
  port = '443',
}: InClusterOptions = {}): ClientConfig {
  const token = join(folder, 'token')
  if (!existsSync(token)) throw new KubeconfigError(`not in a cluster: there is no ${token}`)
  const namespace = join(folder, 'namespace')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: readPem(join(folder, 'ca.crt')) },
    auth: { kind: 'token file', path: token },
    namespace: existsSync(namespace) ? readText(namespace).trim() : 'default',
  }
}

/** What leads out of the text, to files and programs. */
const OUTSIDE = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'exec']

class Merged {
  readonly #clusters = new Map<string, Entry>()
  readonly #users = new Map<string, Entry>()
  readonly #contexts = new Map<string, Entry>()
  #current = ''

  add(text: string, path: string): void {
    let parsed: unknown
    try {
      parsed = parse(text)
    } catch (error) {
      throw new KubeconfigError(`${path}: ${(error as Error).message}`)
    }
    if (!isFields(parsed)) throw new KubeconfigError(`${path}: not a kubeconfig`)
    if (parsed.kind !== undefined && parsed.kind !== 'Config') {
      throw new KubeconfigError(`${path}: kind is ${JSON.stringify(parsed.kind)}, not Config`)
    }
    const folder = dirname(path)
    collect(parsed, 'clusters', 'cluster', this.#clusters, folder, path)
    collect(parsed, 'users', 'user', this.#users, folder, path)
    collect(parsed, 'contexts', 'context', this.#contexts, folder, path)
    if (this.#current === '') this.#current = textOf(parsed, 'current-context') ?? ''
  }

  /** @throws KubeconfigError */
  demandSelfContained(): void {
    for (const [name, { fields }] of [...this.#clusters, ...this.#users])
      for (const key of OUTSIDE)
        if (fields[key] !== undefined)
          throw new KubeconfigError(`"${name}": ${key} is not allowed in a kubeconfig that is an object's`)
  }

  resolve(
    wanted: string | undefined,
    environment: Readonly<Record<string, string | undefined>>,
  ): ClientConfig {
    const contextName = wanted ?? this.#current
    if (contextName === '') throw new KubeconfigError('the kubeconfig names no current context')
    const context = find(this.#contexts, 'context', contextName).fields
    const clusterName = textOf(context, 'cluster') ?? ''
    const userName = textOf(context, 'user') ?? ''
    const cluster = find(this.#clusters, 'cluster', clusterName)
    const user = userName === '' ? { fields: {}, folder: '.' } : find(this.#users, 'user', userName)
    return {
      server: serverOf(cluster, clusterName),
      tls: tlsOf(cluster, clusterName, user, userName),
      auth: authOf(user, userName, environment),
      namespace: textOf(context, 'namespace') ?? 'default',
    }
  }
}

function collect(
  parsed: Fields,
  list: string,
  key: string,
  into: Map<string, Entry>,
  folder: string,
  path: string,
): void {
  const items = parsed[list] ?? []
  if (!Array.isArray(items)) throw new KubeconfigError(`${path}: ${list} is not a list`)
  for (const item of items as unknown[]) {
    const name = isFields(item) ? textOf(item, 'name') : undefined
    if (!isFields(item) || name === undefined)
      throw new KubeconfigError(`${path}: an entry of ${list} has no name`)
    const fields = item[key] ?? {}
    if (!isFields(fields)) throw new KubeconfigError(`${path}: ${key} "${name}" is not a map`)
    if (!into.has(name)) into.set(name, { fields, folder })
  }
}

function find(entries: ReadonlyMap<string, Entry>, what: string, name: string): Entry {
  const entry = entries.get(name)
  if (entry) return entry
  const known = [...entries.keys()].map((each) => `"${each}"`).join(', ') || 'none'
  throw new KubeconfigError(`the kubeconfig has no ${what} "${name}"; there are: ${known}`)
}

function serverOf({ fields }: Entry, name: string): string {
  const server = textOf(fields, 'server') ?? ''
  if (textOf(fields, 'proxy-url')) {
    throw new KubeconfigError(
      `cluster "${name}": proxy-url is not supported; connect directly or through a tunnel`,
    )
  }
  if (!/^https?:\/\/[^/]/.test(server) || !URL.canParse(server)) {
    throw new KubeconfigError(
      `cluster "${name}": server ${JSON.stringify(server)} is not an http or https URL`,
    )
  }
  return server
}

function tlsOf(cluster: Entry, clusterName: string, user: Entry, userName: string): TlsOptions {
  const ca = pem(cluster, 'certificate-authority', `cluster "${clusterName}"`)
  const cert = pem(user, 'client-certificate', `user "${userName}"`)
  const key = pem(user, 'client-key', `user "${userName}"`)
  const servername = textOf(cluster.fields, 'tls-server-name')
  const insecure = cluster.fields['insecure-skip-tls-verify'] === true
  if ((cert === undefined) !== (key === undefined)) {
    throw new KubeconfigError(`user "${userName}": client-certificate and client-key go together`)
  }
  if (insecure && ca !== undefined) {
    throw new KubeconfigError(
      `cluster "${clusterName}": certificate-authority and insecure-skip-tls-verify contradict each other`,
    )
  }
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
    ...(insecure && { insecure }),
  }
}

function authOf(
  { fields, folder }: Entry,
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): AuthConfig {
  for (const key of ['auth-provider', 'as', 'as-uid', 'as-groups', 'as-user-extra']) {
    const value = fields[key]
    if (value !== undefined && value !== null && value !== '') {
      throw new KubeconfigError(`user "${name}": ${key} is not supported`)
    }
  }
  if (isFields(fields.exec)) return execOf(fields.exec, folder, name, environment)
  const token = textOf(fields, 'token')
  const tokenFile = textOf(fields, 'tokenFile')
  const username = textOf(fields, 'username')
  // A file wins over a token beside it, which is then a remnant.
  if (tokenFile !== undefined) return { kind: 'token file', path: resolve(folder, tokenFile) }
  if (token !== undefined) return { kind: 'token', token }
  if (username !== undefined) return { kind: 'basic', username, password: textOf(fields, 'password') ?? '' }
  return { kind: 'none' }
}

function execOf(
  fields: Fields,
  folder: string,
  user: string,
  environment: Readonly<Record<string, string | undefined>>,
): AuthConfig {
  const command = textOf(fields, 'command')
  const apiVersion = textOf(fields, 'apiVersion') ?? ''
  if (command === undefined) throw new KubeconfigError(`user "${user}": exec names no command`)
  if (!/^client\.authentication\.k8s\.io\/v1(?:alpha1|beta1)?$/.test(apiVersion)) {
    throw new KubeconfigError(`user "${user}": exec has the unknown apiVersion ${JSON.stringify(apiVersion)}`)
  }
  const args = Array.isArray(fields.args) ? (fields.args as unknown[]).map(String) : []
  const env: Record<string, string> = {}
  for (const item of Array.isArray(fields.env) ? (fields.env as unknown[]) : []) {
    if (isFields(item)) env[textOf(item, 'name') ?? ''] = textOf(item, 'value') ?? ''
  }
  return {
    kind: 'exec',
    plugin: {
      apiVersion,
      // A bare name is looked up in PATH, anything with a slash is a path beside the file.
      command: command.includes('/') ? resolve(folder, command) : command,
      args,
      env,
      provideClusterInfo: fields.provideClusterInfo === true,
      installHint: textOf(fields, 'installHint'),
    },
    environment,
  }
}

/** Inline data wins over a file, as in kubectl. */
function pem({ fields, folder }: Entry, key: string, owner: string): Buffer | undefined {
  const data = textOf(fields, `${key}-data`)
  if (data !== undefined) {
    const bytes = Buffer.from(data, 'base64')
    if (!isPem(bytes)) throw new KubeconfigError(`${owner}: ${key}-data is not base64 of PEM`)
    return bytes
  }
  const path = textOf(fields, key)
  return path === undefined ? undefined : readPem(resolve(folder, path))
}

function readPem(path: string): Buffer {
  const text = readText(path)
  if (!isPem(Buffer.from(text))) throw new KubeconfigError(`${path}: not PEM`)
  return Buffer.from(text)
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN ')
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new KubeconfigError((error as Error).message, { cause: error })
  }
}

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** @returns undefined for what is absent, empty or no text */
function textOf(fields: Fields, key: string): string | undefined {
  const value = fields[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

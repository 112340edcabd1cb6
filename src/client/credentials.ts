/** Credentials as requests need them, from what a configuration says about them. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type ClientConfig, type ExecPlugin } from './config.js'
import { systemClock, type Clock } from './clock.js'
import { type ClientCertificate, type Credentials } from './http/index.js'

const REREAD_MS = 60_000
/** Credentials are renewed this long before they end. */
const LEEWAY_MS = 10_000
const EXEC_TIMEOUT_MS = 60_000

export function credentialsFor(config: ClientConfig, clock: Clock = systemClock): Credentials | undefined {
  const { auth } = config
  switch (auth.kind) {
    case 'none':
      return undefined
    case 'token':
      return fixed(`Bearer ${auth.token}`)
    case 'basic':
      return fixed(`Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`)
    case 'token file':
      return new TokenFile(auth.path, clock)
    case 'exec':
      return new ExecCredentials(auth.plugin, config, auth.environment, clock)
  }
}

function fixed(authorization: string): Credentials {
  return { authorization: () => authorization, refused: () => undefined }
}

class TokenFile implements Credentials {
  #authorization: string | undefined
  #readAt = -Infinity

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
  ) {}

  /** @throws Error when the file cannot be read and never could be */
  authorization(): string {
    const now = this.clock.now()
    if (this.#authorization === undefined || now - this.#readAt >= REREAD_MS) {
      try {
        this.#authorization = `Bearer ${readFileSync(this.path, 'utf8').trim()}`
      } catch (error) {
        // Kubelet swaps the file; the token we have is good for a while yet.
        if (this.#authorization === undefined) throw error
      }
      this.#readAt = now
    }
    return this.#authorization
  }

  refused(): void {
    this.#readAt = -Infinity
  }
}

interface Issued {
  authorization: string | undefined
  certificate: ClientCertificate | undefined
  expiresAt: number
}

/** One run of the program serves all requests until what it printed expires or is refused. */
class ExecCredentials implements Credentials {
  #issued: Issued | undefined
  #running: Promise<Issued> | undefined

  constructor(
    private readonly plugin: ExecPlugin,
    private readonly config: ClientConfig,
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly clock: Clock,
  ) {}

  authorization(): string | undefined | Promise<string | undefined> {
    const issued = this.#current()
    return issued instanceof Promise ? issued.then((fresh) => fresh.authorization) : issued.authorization
  }

  async certificate(): Promise<ClientCertificate | undefined> {
    return (await this.#current()).certificate
  }

  refused(): void {
    this.#issued = undefined
  }

  #current(): Issued | Promise<Issued> {
    if (this.#issued && this.clock.now() < this.#issued.expiresAt - LEEWAY_MS) return this.#issued
    this.#running ??= this.#run()
      .then((issued) => (this.#issued = issued))
      .finally(() => (this.#running = undefined))
    return this.#running
  }

  #run(): Promise<Issued> {
    const { command, args, env, installHint } = this.plugin
    const options = {
      env: { ...this.environment, ...env, KUBERNETES_EXEC_INFO: this.#info() },
      timeout: EXEC_TIMEOUT_MS,
      maxBuffer: 1024 * 1024,
    }
    return new Promise((resolve, reject) => {
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error) {
          // Not the output: it may hold the credentials.
          const reason =
            'code' in error && error.code === 'ENOENT' ? (installHint ?? 'there is no such command') : ''
          const detail = reason || stderr.trim().slice(0, 300) || error.message.split('\n')[0]
          reject(new Error(`the credential program ${command} failed: ${detail}`))
          return
        }
        try {
          resolve(issuedBy(stdout, this.plugin))
        } catch (fault) {
          reject(
            new Error(
              `the credential program ${command} printed no credentials: ${(fault as Error).message}`,
            ),
          )
        }
      }).stdin?.end()
    })
  }

  #info(): string {
    const { server, tls } = this.config
    const cluster = {
      server,
      ...(tls.ca !== undefined && {
        'certificate-authority-data': Buffer.from(tls.ca).toString('base64'),
      }),
      ...(tls.insecure && { 'insecure-skip-tls-verify': true }),
      ...(tls.servername !== undefined && { 'tls-server-name': tls.servername }),
    }
    return JSON.stringify({
      kind: 'ExecCredential',
      apiVersion: this.plugin.apiVersion,
      spec: { interactive: false, ...(this.plugin.provideClusterInfo && { cluster }) },
    })
  }
}

function issuedBy(stdout: string, { apiVersion }: ExecPlugin): Issued {
  const credential = JSON.parse(stdout) as {
    kind?: unknown
    apiVersion?: unknown
    status?: Partial<
      Record<'token' | 'expirationTimestamp' | 'clientCertificateData' | 'clientKeyData', string>
    >
  } | null
  if (credential?.kind !== 'ExecCredential') throw new Error('not an ExecCredential')
  if (credential.apiVersion !== apiVersion) throw new Error(`not of ${apiVersion}`)
  const { token, expirationTimestamp, clientCertificateData, clientKeyData } = credential.status ?? {}
  const certificate =
    clientCertificateData && clientKeyData ? { cert: clientCertificateData, key: clientKeyData } : undefined
  if (!token && !certificate) throw new Error('neither a token nor a certificate')
  const expiresAt = expirationTimestamp ? Date.parse(expirationTimestamp) : Infinity
  if (Number.isNaN(expiresAt)) throw new Error('an unreadable expirationTimestamp')
  return { authorization: token ? `Bearer ${token}` : undefined, certificate, expiresAt }
}

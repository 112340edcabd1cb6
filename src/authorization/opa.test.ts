import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { remembering, silent } from '../../test/fixtures/logger.js'
import { type Attributes } from './interface.js'
import { opaClient } from './opa.js'

const MODULE = 'package authz\ndefault allow = false\nallow = true { input.User.Name == "eve" }\n'
const ROLE = { kind: 'GlobalRole', name: 'g' }

/** As much of a policy server as is used: keeps modules, and decides on the user's name in place of Rego. */
async function policyServer() {
  const modules = new Map<string, string>()
  const inputs: unknown[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const [, , what, ...rest] = (request.url ?? '').split('/')
    if (request.method === 'PUT' && what === 'policies') {
      modules.set(rest[0] ?? '', body)
      response.end('{}')
      return
    }
    const { input } = JSON.parse(body) as { input: { User: { Name: string } } }
    inputs.push(input)
    const loaded = [...modules.values()].some((text) => text.startsWith(`package roles.${rest[1]}\n`))
    response.end(JSON.stringify(loaded ? { result: input.User.Name === 'eve' } : {}))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { modules, inputs, endpoint: `http://127.0.0.1:${port}/`, close: () => server.close() }
}

const asked = (name: string): Attributes => ({
  path: '/kapis/x.io/v1/things',
  verb: 'list',
  isResourceRequest: true,
  isKubernetesRequest: false,
  apiGroup: 'x.io',
  apiVersion: 'v1',
  cluster: '',
  workspace: '',
  namespace: '',
  devops: '',
  resource: 'things',
  subresource: '',
  name: '',
  resourceScope: 'Cluster',
  user: { name, groups: ['g'] },
})

describe('a policy module asked of a server', () => {
  const closers: (() => void)[] = []
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })

  async function start() {
    const server = await policyServer()
    closers.push(server.close)
    return server
  }

  it('is loaded under a package of its own and gets the attributes in PascalCase', async () => {
    const server = await start()
    const opa = opaClient({ endpoint: server.endpoint, logger: silent })

    expect(await opa.allows(ROLE, MODULE, asked('eve'))).toBe(true)
    expect(await opa.allows(ROLE, MODULE, asked('bob'))).toBe(false)

    expect(server.modules.size).toBe(1)
    expect(server.inputs[0]).toEqual({
      User: { Name: 'eve', UID: '', Groups: ['g'], Extra: null },
      Verb: 'list',
      Cluster: '',
      Workspace: '',
      Namespace: '',
      DevOps: '',
      APIGroup: 'x.io',
      APIVersion: 'v1',
      Resource: 'things',
      Subresource: '',
      Name: '',
      KubernetesRequest: false,
      ResourceRequest: true,
      Path: '/kapis/x.io/v1/things',
      ResourceScope: 'Cluster',
    })
  })

  it('is loaded again after the server has forgotten it', async () => {
    const server = await start()
    const opa = opaClient({ endpoint: server.endpoint, logger: silent })
    await opa.allows(ROLE, MODULE, asked('eve'))
    server.modules.clear()

    await opa.allows(ROLE, MODULE, asked('eve'))

    expect(await opa.allows(ROLE, MODULE, asked('eve'))).toBe(true)
  })

  it('allows nothing, and says so, when the server is away or the module is of another package', async () => {
    const log = remembering()
    const server = await start()
    const away = opaClient({ endpoint: 'http://127.0.0.1:1', logger: log })
    const there = opaClient({ endpoint: server.endpoint, logger: log })

    expect(await away.allows(ROLE, MODULE, asked('eve'))).toBe(false)
    expect(await there.allows(ROLE, 'package other\nallow = true', asked('eve'))).toBe(false)

    expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: policy module of a role could not be loaded',
      'warn: policy module of a role is not in package authz',
    ])
  })
})

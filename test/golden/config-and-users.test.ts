/** The recorded answers of the configuration routes and of single users, answered from the recorded state. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { configGroup } from '../../src/apis/config/index.js'
import { iamGroup } from '../../src/apis/iam/v1alpha2/index.js'
import { type Report } from '../../src/configuration/field.js'
import { schema } from '../../src/configuration/options.js'
import { LiteralInformers } from '../fixtures/informers.js'
import { iamDeps, type LiteralServer, serveLiterals } from '../fixtures/server.js'
import { entriesOf, goldenPath, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

const title = `recorded configuration and users${HAVE_GOLDEN ? '' : `, ${WITHOUT_GOLDEN}`}`

describe.skipIf(!HAVE_GOLDEN)(title, () => {
  const covered = (HAVE_GOLDEN ? [...entriesOf('base'), ...entriesOf('authz')] : []).filter(
    ({ request: { method, path, headers }, response }) =>
      method === 'GET' &&
      headers === undefined &&
      response.status !== 404 &&
      /^\/kapis\/(config\.kubesphere\.io\/v1alpha2\/configs|iam\.kubesphere\.io\/v1alpha2\/users)\/[a-z/]+$/.test(
        path,
      ),
  )
  let server: LiteralServer

  beforeAll(async () => {
    const report: Report = { errors: [], warnings: [] }
    const file: unknown = parse(readFileSync(goldenPath('kubesphere.yaml'), 'utf8'))
    const options = schema.decode(file, '', report)
    if (options === undefined) throw new Error('the recorded configuration cannot be read')
    const informers = LiteralInformers.from(readGolden<Record<string, { items: KubeObject[] }>>('state.json'))
    server = await serveLiterals(informers, (parts) => [
      configGroup({ options }),
      iamGroup(iamDeps(informers, parts)),
    ])
  })

  afterAll(() => server?.close())

  it('are a good part of the recordings', () => {
    expect(covered.length).toBeGreaterThan(15)
  })

  it.each(covered.map((entry) => [`${entry.id} ${entry.request.path}`, entry] as const))(
    '%s',
    async (_, { request, response }) => {
      const headers = new Headers()
      if (request.user !== null) {
        const { access_token: token } = await server.authentication.sessions.open({ username: request.user })
        headers.set('authorization', `Bearer ${token}`)
      }

      const answer = await fetch(server.base + request.path, { headers })

      expect(answer.status).toBe(response.status)
      // The original loses kind and apiVersion of users on the way; ours are always there.
      const user = { kind: 'User', apiVersion: 'iam.kubesphere.io/v1alpha2' }
      const isUser = /\/users\/[a-z]+$/.test(request.path)
      expect(await answer.json()).toEqual(isUser ? { ...user, ...(response.json as object) } : response.json)
    },
  )

  it('never show a password', async () => {
    const { access_token: token } = await server.authentication.sessions.open({ username: 'admin' })
    const answer = await fetch(`${server.base}/kapis/iam.kubesphere.io/v1alpha2/users/admin`, {
      headers: { authorization: `Bearer ${token}` },
    })

    const text = await answer.text()
    expect(text).toContain('admin@kubesphere.io')
    expect(text).not.toMatch(/\$2[aby]\$/)
  })
})

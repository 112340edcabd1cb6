/** A mutating webhook as a cluster meets it over HTTP. */
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent } from '../../test/fixtures/logger.js'
import { ruleGroupWebhooks } from './rulegroups.js'
import { admissionListener } from './serve.js'

const server = createServer(admissionListener(ruleGroupWebhooks(), silent))
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => server.close())

interface Operation {
  op: string
  path: string
  value: { rules: { expr: string; labels: { rule_id: string } }[] }
}

/** @returns the operations of the patch; undefined without one */
async function patchOf(object: object): Promise<Operation[] | undefined> {
  const { port } = server.address() as AddressInfo
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', operation: 'CREATE', namespace: 'a', object },
  }
  const url = `http://127.0.0.1:${port}/mutate-alerting-kubesphere-io-v2beta1-rulegroup`
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(review) })
  const { response } = (await answer.json()) as { response: Record<string, string | boolean> }
  expect(response).toMatchObject({ uid: 'u', allowed: true })
  if (response['patch'] === undefined) return undefined
  expect(response['patchType']).toBe('JSONPatch')
  return JSON.parse(Buffer.from(String(response['patch']), 'base64').toString()) as Operation[]
}

const group = (rules: unknown): object => ({ metadata: { name: 'g', namespace: 'a' }, spec: { rules } })

describe('a group of rules that a cluster asks about', () => {
  it('is completed by a patch of its spec', async () => {
    const [operation, ...more] = (await patchOf(group([{ alert: 'A', expr: 'up' }]))) ?? []

    expect(more).toEqual([])
    expect(operation).toMatchObject({ op: 'add', path: '/spec', value: { rules: [{ expr: 'up' }] } })
    expect(operation?.value.rules[0]?.labels.rule_id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it.each([[[{ alert: 'A', expr: 'up', labels: { rule_id: 'x' } }]], ['no list'], [[{ labels: 3 }]]])(
    'is left as it is: %j',
    async (rules) => {
      expect(await patchOf(group(rules))).toBeUndefined()
    },
  )
})

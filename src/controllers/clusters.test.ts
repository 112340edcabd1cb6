/** Users and the clusters they may use: a host and a member, both embedded APIs, the member reached by its kubeconfig. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { definitions } from '../bootstrap/data.js'
import { RestClient } from '../client/rest.js'
import { eventually } from '../client/testing/eventually.js'
import { PLATFORM } from '../client/writer.js'
import { type Kube, startKube } from '../kube/index.js'
import { CLUSTER_ROLE_BINDINGS, CLUSTERS, USERS } from '../tenancy/resources.js'
import { type ClusterObject } from '../tenancy/types.js'

const GRANTED = 'iam.kubesphere.io/granted-clusters'
const directory = mkdtempSync(join(tmpdir(), 'orrery-clusters-'))
let host: Controlled
let member: Kube
let kubeconfig: string
let memberBindings: ReturnType<RestClient['resource']>

beforeAll(async () => {
  const kubeconfigPath = join(directory, 'kubeconfig')
  member = await startKube({ kubeconfigPath, host: '127.0.0.1', port: 0 })
  kubeconfig = readFileSync(kubeconfigPath, 'utf8')
  memberBindings = new RestClient({ transport: member.transport, user: PLATFORM }).resource(
    CLUSTER_ROLE_BINDINGS,
  )
  const clusters = (await definitions()).find(({ name }) => name === 'clusters.cluster.kubesphere.io')
  host = await startControlled({
    controllers: ['cluster'],
    options: { 'multicluster.enable': 'true', 'multicluster.clusterControllerResyncPeriod': '50ms' },
    definitions: [JSON.parse(clusters?.bytes.toString() ?? '') as KubeObject],
  })
})
afterAll(async () => {
  await host.close()
  await member.close()
  rmSync(directory, { recursive: true, force: true })
})

const grantedTo = async (user: string): Promise<string | undefined> =>
  (await host.read(USERS, user))?.metadata.annotations?.[GRANTED]
const user = (name: string, granted?: string) =>
  host.create(USERS, {
    metadata: { name, ...(granted !== undefined && { annotations: { [GRANTED]: granted, note: 'kept' } }) },
    spec: { email: `${name}@example.com` },
  })
const cluster = (name: string, text: string, more: object = {}): ClusterObject => ({
  metadata: { name },
  spec: {
    enable: true,
    connection: { type: 'direct', kubeconfig: Buffer.from(text).toString('base64') },
    ...more,
  },
})
const binding = (name: string, users: string[], labels: Record<string, string>): KubeObject => ({
  metadata: { name, labels },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  subjects: users.map((one) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: one })),
})

describe('the clusters of a user', () => {
  it('are those that have a binding of the platform for the user, as long as they have it', async () => {
    for (const name of ['ann', 'bob', 'cid']) await user(name)
    await user('dan', 'edge,far-away')
    await memberBindings.create(binding('ann-view', ['ann'], { 'iam.kubesphere.io/user-ref': 'ann' }))
    // Somebody else's, about which the platform says nothing.
    await memberBindings.create(binding('bob-view', ['bob'], {}))

    await host.create(CLUSTERS, cluster('edge', kubeconfig))

    await eventually(async () => expect(await grantedTo('ann')).toBe('edge'))
    await eventually(async () => expect(await grantedTo('dan')).toBe('far-away'))
    expect(await grantedTo('bob')).toBeUndefined()
    expect((await host.read(USERS, 'dan'))?.metadata.annotations).toMatchObject({ note: 'kept' })

    await memberBindings.create(binding('cid-view', ['cid'], { 'iam.kubesphere.io/user-ref': 'cid' }))
    await memberBindings.delete('ann-view')
    await eventually(async () => expect(await grantedTo('cid')).toBe('edge'))
    await eventually(async () => expect(await grantedTo('ann')).toBeUndefined())

    await host.delete(CLUSTERS, 'edge')
    await eventually(async () => expect(await grantedTo('cid')).toBeUndefined())
  })

  it('stay as they are while a cluster cannot be asked, and others are asked all the same', async () => {
    await user('eve', 'down,off')
    await host.create(CLUSTERS, cluster('down', kubeconfig.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1')))
    await host.create(CLUSTERS, cluster('off', kubeconfig, { enable: false }))
    await host.create(CLUSTERS, cluster('zone', kubeconfig))

    await eventually(async () => expect(await grantedTo('cid')).toBe('zone'))

    expect(await grantedTo('eve')).toBe('down,off')
  })

  it('are not asked with files or programs of this machine', async () => {
    const mark = join(directory, 'started')
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/usr/bin/touch', args: [mark] }
    const evil = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: member.url } }],
      users: [{ name: 'x', user: { exec } }],
    }
    await host.create(CLUSTERS, cluster('evil', JSON.stringify(evil)))
    await host.create(CLUSTERS, cluster('zzz', kubeconfig))

    await eventually(async () => expect(await grantedTo('cid')).toContain('zzz'))

    expect(() => readFileSync(mark)).toThrow()
  })
})

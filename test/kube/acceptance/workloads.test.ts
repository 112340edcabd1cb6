/** Acceptance of kubectl, garbage, namespaces and workloads: checks 6, 7, 12, 13, 34, 37, 52, 53, 55 and 56. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { stringify } from 'yaml'
import { check, type Json, ON_CLUSTER, startSubject, type Subject } from './subject.js'

let kube: Subject
let at: string
beforeAll(async () => {
  kube = await startSubject()
  at = await kube.namespace('work')
})
afterAll(() => kube.close())

const NO_NODES = { newer: 'the genuine server of these checks has no nodes', timeoutMs: 120_000 }

async function kubectl(...args: string[]): Promise<string> {
  const { code, out, err } = await kube.kubectl(...args, '-n', 'work')
  expect(code, err + out).toBe(0)
  return out
}

async function apply(manifest: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await kube.kubectlWith(manifest, 'apply', '-n', 'work', '-f', '-', ...args)
  expect(code, err + out).toBe(0)
  return out.trim()
}

describe('kubectl', () => {
  check(6, 'explains fields', async () => {
    const out = await kubectl('explain', 'deployment.spec.strategy', '--recursive')

    expect(out).toContain('rollingUpdate')
    expect(out).toContain('maxSurge')
  })

  check(7, 'creates with bodies in protobuf', async () => {
    expect(await kubectl('create', 'deployment', 'proto', '--image=nginx', '--replicas=0')).toContain(
      'created',
    )

    const { json } = await kube.get('/apis/apps/v1/namespaces/work/deployments/proto')
    expect(json.spec).toMatchObject({ replicas: 0, template: { spec: { containers: [{ image: 'nginx' }] } } })
  })

  check(12, 'prints the columns of each kind', async () => {
    const columns = async (kind: string, ...args: string[]): Promise<string[]> => {
      const path = KINDS[kind] ?? ''
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
      const { columnDefinitions } = (await kube.get(path, { accept })).json
      await kubectl('get', kind, ...args)
      return columnDefinitions.map(({ name }: Json) => name as string)
    }

    expect(await columns('pods', '-o', 'wide')).toEqual(
      ['Name', 'Ready', 'Status', 'Restarts', 'Age'].concat([
        'IP',
        'Node',
        'Nominated Node',
        'Readiness Gates',
      ]),
    )
    expect(await columns('deployments')).toEqual(
      ['Name', 'Ready', 'Up-to-date', 'Available', 'Age'].concat(['Containers', 'Images', 'Selector']),
    )
    expect(await columns('services')).toEqual([
      'Name',
      'Type',
      'Cluster-IP',
      'External-IP',
      'Port(s)',
      'Age',
      'Selector',
    ])
    expect(await columns('nodes')).toEqual(
      ['Name', 'Status', 'Roles', 'Age', 'Version'].concat([
        'Internal-IP',
        'External-IP',
        'OS-Image',
        'Kernel-Version',
        'Container-Runtime',
      ]),
    )
    expect(await columns('events')).toEqual(
      ['Last Seen', 'Type', 'Reason', 'Object', 'Subobject', 'Source', 'Message', 'First Seen'].concat([
        'Count',
        'Name',
      ]),
    )
    expect(await columns('customresourcedefinitions')).toEqual(['Name', 'Created At'])
  })

  check(13, 'refuses what a Table cannot include', async () => {
    const { status, json } = await kube.get(`${at}/pods?includeObject=Bogus`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    })

    expect({ status, reason: json.reason }).toEqual({ status: 400, reason: 'BadRequest' })
  })

  check(34, 'applies three times: created, unchanged, configured', async () => {
    const manifest = (value: string, name = 'applied'): string =>
      stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { set: 'one' } },
        data: { a: value },
      })

    expect(await apply(manifest('1'))).toBe('configmap/applied created')
    expect(await apply(manifest('1'))).toBe('configmap/applied unchanged')
    expect(await apply(manifest('2'))).toBe('configmap/applied configured')
    const other = manifest('1', 'other')
    expect(await apply(other, '--prune', '-l', 'set=one', '--prune-allowlist=core/v1/ConfigMap')).toContain(
      'configmap/applied pruned',
    )
  })

  check(37, 'moves from client-side to server-side apply without losing fields', async () => {
    const manifest = (data: object): string =>
      stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'moved' }, data })
    await apply(manifest({ a: '1', b: '2' }))
    await apply(manifest({ a: '1', b: '2' }), '--server-side')
    await apply(manifest({ a: '1' }), '--server-side')

    expect((await kube.get(`${at}/configmaps/moved`)).json.data).toEqual({ a: '1' })
  })
})

const KINDS: Readonly<Record<string, string>> = {
  pods: '/api/v1/namespaces/work/pods',
  deployments: '/apis/apps/v1/namespaces/work/deployments',
  services: '/api/v1/namespaces/work/services',
  nodes: '/api/v1/nodes',
  events: '/api/v1/namespaces/work/events',
  customresourcedefinitions: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
}

describe('garbage', () => {
  const maps = (): string => `${at}/configmaps`
  const ownedBy = (owner: Json, more: object = {}): object => ({
    ownerReferences: [
      { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name, uid: owner.metadata.uid, ...more },
    ],
  })
  const make = async (name: string, metadata: object = {}): Promise<Json> =>
    (await kube.post(maps(), { metadata: { name, ...metadata } })).json
  const status = async (name: string): Promise<number> => (await kube.get(`${maps()}/${name}`)).status
  // A genuine collector learns of kinds and objects in its own time.
  const slowly = { timeout: 60_000 }

  check(
    52,
    'goes in the background, is orphaned, or goes first',
    async () => {
      const owner = await make('background')
      await make('background-child', ownedBy(owner))
      await kube.delete(`${maps()}/background?propagationPolicy=Background`)
      await expect.poll(() => status('background-child'), slowly).toBe(404)

      const parent = await make('orphaning')
      await make('orphan', ownedBy(parent))
      await kube.delete(`${maps()}/orphaning?propagationPolicy=Orphan`)
      await expect.poll(() => status('orphaning'), slowly).toBe(404)
      await expect
        .poll(async () => (await kube.get(`${maps()}/orphan`)).json.metadata?.ownerReferences, slowly)
        .toBeUndefined()

      const last = await make('foreground')
      await make('first', {
        ...ownedBy(last, { blockOwnerDeletion: true }),
        finalizers: ['example.com/hold'],
      })
      await kube.delete(`${maps()}/foreground?propagationPolicy=Foreground`)
      await expect
        .poll(async () => (await kube.get(`${maps()}/first`)).json.metadata?.deletionTimestamp, slowly)
        .toEqual(expect.any(String))
      expect((await kube.get(`${maps()}/foreground`)).json.metadata.finalizers).toEqual([
        'foregroundDeletion',
      ])
      await kube.patch(`${maps()}/first`, { metadata: { finalizers: null } })
      await expect.poll(() => status('foreground'), slowly).toBe(404)
    },
    { timeoutMs: 240_000 },
  )

  check(
    52,
    'is what nobody owns any more, in circles too',
    async () => {
      await make(
        'dangling',
        ownedBy({ metadata: { name: 'never', uid: '00000000-0000-0000-0000-000000000000' } }),
      )
      await expect.poll(() => status('dangling'), slowly).toBe(404)

      const a = await make('circle-a')
      const b = await make('circle-b', ownedBy(a))
      await kube.patch(`${maps()}/circle-a`, { metadata: ownedBy(b) })
      await kube.delete(`${maps()}/circle-a?propagationPolicy=Background`)
      await expect.poll(() => status('circle-b'), slowly).toBe(404)
    },
    { timeoutMs: 180_000 },
  )
})

describe('namespaces', () => {
  check(
    53,
    'say what holds them, and go when it is released',
    async () => {
      const held = await kube.namespace('held')
      await kube.post(`${held}/configmaps`, { metadata: { name: 'x', finalizers: ['example.com/hold'] } })
      await kube.delete(held)
      const condition = async (type: string): Promise<Json> =>
        (await kube.get(held)).json.status?.conditions?.find((each: Json) => each.type === type)

      await expect
        .poll(() => condition('NamespaceFinalizersRemaining'), { timeout: 60_000 })
        .toMatchObject({
          status: 'True',
          message: expect.stringContaining('example.com/hold in 1 resource') as string,
        })
      expect(await kube.post(`${held}/configmaps`, { metadata: { name: 'y' } })).toMatchObject({
        status: 403,
        json: {
          message: expect.stringContaining(
            'unable to create new content in namespace held because it is being terminated',
          ) as string,
          details: { causes: [{ reason: 'NamespaceTerminating' }] },
        },
      })
      await kube.patch(`${held}/configmaps/x`, { metadata: { finalizers: null } })
      await expect.poll(async () => (await kube.get(held)).status, { timeout: 60_000 }).toBe(404)
    },
    { timeoutMs: 180_000 },
  )
})

// The genuine server of these checks has no nodes.
const describeOnNodes = ON_CLUSTER ? () => undefined : describe

describeOnNodes('workloads', () => {
  check(
    55,
    'roll out, update, roll back, scale and pause',
    async () => {
      await kubectl('create', 'deployment', 'web', '--image=nginx:1.21', '--replicas=3')
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=50s')
      await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:1.22')
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=50s')
      await kubectl('rollout', 'undo', 'deployment/web')
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=50s')
      await kubectl('rollout', 'pause', 'deployment/web')
      await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:1.23')
      await kubectl('scale', 'deployment/web', '--replicas=1')

      await expect
        .poll(async () =>
          (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={..image}')).split(' '),
        )
        .toEqual(['nginx:1.21', 'nginx:1.21'])
    },
    NO_NODES,
  )

  check(
    56,
    'order their pods, cover new nodes, end or run on',
    async () => {
      await apply(WORKLOADS)
      await kubectl('rollout', 'status', 'statefulset/ordered', '--timeout=50s')
      await kubectl('rollout', 'status', 'daemonset/everywhere', '--timeout=50s')
      await kubectl('wait', '--for=condition=complete', 'job/ends', '--timeout=50s')
      await kubectl('create', 'job', 'fired', '--from=cronjob/often')
      await kubectl('wait', '--for=condition=complete', 'job/fired', '--timeout=50s')
      await kubectl('wait', '--for=condition=Ready', 'pod/stays', '--timeout=50s')

      const ordered = (await kube.get(`${at}/pods?labelSelector=app%3Dordered`)).json.items
      expect(ordered.map(({ metadata }: Json) => metadata.name)).toEqual(['ordered-0', 'ordered-1'])
      const [first, second] = ordered.map(({ metadata }: Json) =>
        Date.parse(metadata.creationTimestamp as string),
      )
      expect(first).toBeLessThanOrEqual(second as number)
      await kube.post('/api/v1/nodes', {
        metadata: { name: 'late', labels: { 'orrery.dev/simulated': 'true' } },
      })
      await expect
        .poll(
          async () =>
            (await kube.get('/apis/apps/v1/namespaces/work/daemonsets/everywhere')).json.status.numberReady,
          { timeout: 40_000 },
        )
        .toBe(3)
    },
    NO_NODES,
  )
})

const WORKLOADS = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ordered }
spec:
  replicas: 2
  serviceName: ordered
  selector: { matchLabels: { app: ordered } }
  template:
    metadata: { labels: { app: ordered } }
    spec: { containers: [{ name: a, image: nginx }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: everywhere }
spec:
  selector: { matchLabels: { app: everywhere } }
  template:
    metadata: { labels: { app: everywhere } }
    spec: { containers: [{ name: a, image: nginx }] }
---
apiVersion: batch/v1
kind: Job
metadata: { name: ends }
spec:
  template:
    spec: { restartPolicy: Never, containers: [{ name: a, image: busybox, command: [sh, -c, 'echo done'] }] }
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: { name: often }
spec:
  schedule: '0 0 1 1 *'
  jobTemplate:
    spec:
      template:
        spec: { restartPolicy: Never, containers: [{ name: a, image: busybox, command: [sh, -c, 'echo fired'] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: stays }
spec: { containers: [{ name: a, image: busybox, command: [sleep, '1000000'] }] }
`

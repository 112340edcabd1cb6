import { describe, expect, it } from 'vitest'
import { held, type Held } from '../../../test/fixtures/stored.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type NamespaceObject, type WorkspaceObject } from '../../tenancy/types.js'
import { snatAddresses } from './isolation.js'
import { type NetworkIsolationDeps, NetworkIsolationReconciler } from './nsnp.reconciler.js'
import { type NamespaceNetworkPolicyObject, type NetworkPolicyObject, type ServiceObject } from './types.js'

const project = (annotations: Record<string, string> = {}, workspace = 'blue'): NamespaceObject => ({
  metadata: {
    name: 'shop',
    labels: workspace === '' ? {} : { 'kubesphere.io/workspace': workspace },
    annotations,
  },
})
const isolated = { 'kubesphere.io/network-isolate': 'enabled' }
const workspace = (networkIsolation: boolean): WorkspaceObject => ({
  metadata: { name: 'blue' },
  spec: { networkIsolation },
})
const policy = (spec: NamespaceNetworkPolicyObject['spec'], name = 'web'): NamespaceNetworkPolicyObject => ({
  metadata: { name, namespace: 'shop', uid: `${name}-uid` },
  ...(spec && { spec }),
})
const service = (name: string, namespace: string, selector?: Record<string, string>): ServiceObject => ({
  metadata: { name, namespace },
  spec: { ...(selector && { selector }), ports: [{ port: 80, targetPort: 8080 }] },
})
const leftover = (): NetworkPolicyObject => ({
  metadata: { name: 'nsnp-network-isolate', namespace: 'shop' },
})

interface World extends Partial<NetworkIsolationDeps> {
  namespace: NamespaceObject
  policies?: Held<NetworkPolicyObject>
}

async function pass({ namespace, policies = held(), ...others }: World) {
  const projectPolicies = held<NamespaceNetworkPolicyObject>()
  const reconciler = new NetworkIsolationReconciler({
    namespaces: held(namespace),
    workspaces: held(workspace(false)),
    projectPolicies,
    ownerFor: ({ metadata: { name = '', uid = '' } }) => ({
      apiVersion: 'network.kubesphere.io/v1alpha1',
      kind: 'NamespaceNetworkPolicy',
      name,
      uid,
    }),
    services: () => undefined,
    nodeAddresses: () => [],
    allowed: [],
    ...others,
    policies,
  })
  await reconciler.reconcile({ namespace: '', name: 'shop' }, new AbortController().signal)
  return policies
}

const namespaceOf = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubesphere.io/namespace': name } },
})

describe('a project', () => {
  it('of an isolated workspace admits that workspace, and who may always reach in', async () => {
    const policies = await pass({
      namespace: project(),
      workspaces: held(workspace(true)),
      allowed: ['ingress'],
    })

    expect(policies.get('nsnp-network-isolate', 'shop')?.spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { 'kubesphere.io/workspace': 'blue' } } },
            namespaceOf('ingress'),
          ],
        },
      ],
    })
  })

  it('that is isolated itself admits only itself, and what comes through nodes', async () => {
    const policies = await pass({
      namespace: project(isolated),
      workspaces: held(workspace(true)),
      nodeAddresses: () => ['10.0.0.1', 'fd00::1'],
    })

    expect(policies.get('nsnp-network-isolate', 'shop')?.spec?.ingress).toEqual([
      { from: [namespaceOf('shop')] },
      { from: [{ ipBlock: { cidr: '10.0.0.1/32' } }, { ipBlock: { cidr: 'fd00::1/128' } }] },
    ])
  })

  it.each([
    ['not isolated', project()],
    ['of no workspace, whatever it says', project(isolated, '')],
  ])('%s has no policy', async (_, namespace) => {
    const policies = await pass({ namespace, policies: held(leftover()) })

    expect(policies.writes).toEqual(['delete shop/nsnp-network-isolate (Background)'])
  })

  it('in order is left alone; an edited policy is put back', async () => {
    const policies = await pass({ namespace: project(isolated) })
    await pass({ namespace: project(isolated), policies })
    expect(policies.writes).toEqual(['create shop/nsnp-network-isolate'])

    const edited = { ...leftover(), spec: { podSelector: {}, policyTypes: [] } }
    const mended = await pass({ namespace: project(isolated), policies: held<NetworkPolicyObject>(edited) })
    expect(mended.get('nsnp-network-isolate', 'shop')?.spec?.policyTypes).toEqual(['Ingress'])
  })

  it('loses its own policies when it is not isolated itself', async () => {
    const projectPolicies = held(policy({ ingress: [] }))
    await pass({ namespace: project(), workspaces: held(workspace(true)), projectPolicies })

    expect(projectPolicies.writes).toEqual(['delete shop/web (Background)'])
  })
})

describe('a policy of a project', () => {
  it('becomes one of Kubernetes that goes with it', async () => {
    const own = policy({
      ingress: [
        { from: [{ namespace: { name: 'front' } }, { service: { name: 'lb', namespace: 'edge' } }] },
        { ports: [{ protocol: 'TCP', port: 443 }] },
      ],
    })
    const policies = await pass({
      namespace: project(isolated),
      projectPolicies: held(own),
      services: (name, namespace) => (name === 'lb' ? service(name, namespace, { app: 'lb' }) : undefined),
    })

    expect(policies.get('nsnp-web', 'shop')).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'NamespaceNetworkPolicy', name: 'web', uid: 'web-uid' }] },
      spec: {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              namespaceOf('front'),
              { ...namespaceOf('edge'), podSelector: { matchLabels: { app: 'lb' } } },
            ],
          },
          { ports: [{ protocol: 'TCP', port: 443 }] },
        ],
      },
    })
  })

  it('about what pods may reach lets them find names, and reach the pods of a service where they listen', async () => {
    const own = policy({
      egress: [
        { to: [{ service: { name: 'db', namespace: 'data' } }, { ipBlock: { cidr: '1.2.3.0/24' } }] },
        { to: [] },
      ],
    })
    const policies = await pass({
      namespace: project(isolated),
      projectPolicies: held(own),
      services: (name, namespace) => service(name, namespace, { app: name }),
    })

    expect(policies.get('nsnp-web', 'shop')?.spec?.egress).toEqual([
      {
        to: [{ ...namespaceOf('data'), podSelector: { matchLabels: { app: 'db' } } }],
        ports: [{ protocol: 'TCP', port: 8080 }],
      },
      { to: [{ ipBlock: { cidr: '1.2.3.0/24' } }] },
    ])
    const { policyTypes, egress } = policies.get('nsnp-network-isolate', 'shop')?.spec ?? {}
    expect(policyTypes).toEqual(['Ingress', 'Egress'])
    expect(egress?.map(({ to }) => to)).toEqual([
      [{ ipBlock: { cidr: '169.254.25.10/32' } }],
      [{ ...namespaceOf('kube-system'), podSelector: { matchLabels: { app: 'kube-dns' } } }],
    ])
  })

  it('that names a service that is not there has no effect, and holds up no other', async () => {
    const broken = policy({ ingress: [{ from: [{ service: { name: 'no', namespace: 'no' } }] }] }, 'a-broken')
    const taken = policy({ ingress: [] }, 'network-isolate')
    const policies = held<NetworkPolicyObject>()

    const failing = pass({
      namespace: project(isolated),
      projectPolicies: held(broken, taken, policy({ ingress: [] })),
      policies,
    })

    await expect(failing).rejects.toThrow(
      'policies without effect: a-broken: service no/no is not there or selects no pods; ' +
        'network-isolate: the name is taken by the isolation itself',
    )
    expect(policies.writes).toEqual(['create shop/nsnp-network-isolate', 'create shop/nsnp-web'])
  })
})

it('addresses of nodes come once each, in order', () => {
  const node = (text?: string): KubeObject => ({
    metadata: { ...(text !== undefined && { annotations: { 'kubesphere.io/snat-node-ips': text } }) },
  })

  expect(snatAddresses([node('10.0.0.2;10.0.0.1'), node(), node('10.0.0.1; ')])).toEqual([
    '10.0.0.1',
    '10.0.0.2',
  ])
})

/**
 * The states that benchmarks start from: pods in namespaces of workspaces, users, and who is bound where. The same
 * numbers always make the same objects.
 */
import bcrypt from 'bcrypt'
import { type KubeObject } from '../src/apimachinery/meta/types.js'

export interface Size {
  pods: number
  namespaces: number
  workspaces: number
  users: number
  /** RoleBindings, spread over users and namespaces. */
  bindings: number
}

/** List path → list, as `orrery restore` and the real cluster of the tests take them. */
export type Lists = Record<string, { apiVersion: string; kind: string; items: KubeObject[] }>

export const PASSWORD = 'P@88w0rd'
/** Bound in `bindingsOfMember` namespaces and viewer of no workspace. */
export const MEMBER = 'member'
const BINDINGS_OF_MEMBER = 200
const WORKSPACE = 'kubesphere.io/workspace'

export const SIZES: Readonly<Record<'small' | 'medium' | 'large', Size>> = {
  small: { pods: 10_000, namespaces: 50, workspaces: 10, users: 20, bindings: 200 },
  medium: { pods: 50_000, namespaces: 500, workspaces: 100, users: 2_000, bindings: 20_000 },
  large: { pods: 200_000, namespaces: 4_000, workspaces: 1_000, users: 2_000, bindings: 20_000 },
}

export const workspaceName = (i: number): string => `team-${i}`
export const namespaceName = (i: number): string => `team-ns-${i}`
export const userName = (i: number): string => `user-${i}`

export function bindingsOfMember({ namespaces }: Size): number {
  return Math.min(BINDINGS_OF_MEMBER, namespaces)
}

export function listsOf(size: Size): Lists {
  const { namespaces, workspaces, users } = size
  const range = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i))
  const workspaceOf = (namespace: number): string => workspaceName(namespace % workspaces)
  const people = [MEMBER, ...range(users, userName)]
  const hash = bcrypt.hashSync(PASSWORD, 10)

  return {
    '/api/v1/namespaces': list('v1', 'Namespace', [
      namespace('kubesphere-system', 'system-workspace'),
      namespace('kubesphere-controls-system', 'system-workspace'),
      ...range(namespaces, (i) => namespace(namespaceName(i), workspaceOf(i))),
    ]),
    '/api/v1/configmaps': list('v1', 'ConfigMap', [
      object('anchor', { data: { text: 'x'.repeat(1_500) } }, { namespace: namespaceName(0) }),
    ]),
    '/api/v1/pods': list(
      'v1',
      'Pod',
      range(size.pods, (i) => pod(i, namespaceName(i % namespaces))),
    ),
    '/apis/tenant.kubesphere.io/v1alpha2/workspacetemplates': list(
      'tenant.kubesphere.io/v1alpha2',
      'WorkspaceTemplate',
      range(workspaces, (i) =>
        object(workspaceName(i), {
          spec: { template: { spec: { manager: userName(i % users) } }, placement: { clusterSelector: {} } },
        }),
      ),
    ),
    '/apis/tenant.kubesphere.io/v1alpha1/workspaces': list(
      'tenant.kubesphere.io/v1alpha1',
      'Workspace',
      range(workspaces, (i) => object(workspaceName(i), { spec: { manager: userName(i % users) } })),
    ),
    '/apis/iam.kubesphere.io/v1alpha2/users': list(
      'iam.kubesphere.io/v1alpha2',
      'User',
      ['admin', ...people].map((name) => ({
        ...object(name, {
          spec: { email: `${name}@example.com`, password: hash },
          status: { state: 'Active', lastTransitionTime: CREATED },
        }),
      })),
    ),
    '/apis/iam.kubesphere.io/v1alpha2/globalrolebindings': list(
      'iam.kubesphere.io/v1alpha2',
      'GlobalRoleBinding',
      people.map((name) => binding(`${name}-platform-regular`, 'GlobalRole', 'platform-regular', name)),
    ),
    '/apis/iam.kubesphere.io/v1alpha2/workspaceroles': list(
      'iam.kubesphere.io/v1alpha2',
      'WorkspaceRole',
      range(workspaces, (i) =>
        object(
          `${workspaceName(i)}-regular`,
          {
            rules: [
              { apiGroups: ['*'], resources: ['workspaces', 'workspacemembers'], verbs: ['get', 'list'] },
            ],
          },
          { labels: { [WORKSPACE]: workspaceName(i) } },
        ),
      ),
    ),
    '/apis/iam.kubesphere.io/v1alpha2/workspacerolebindings': list(
      'iam.kubesphere.io/v1alpha2',
      'WorkspaceRoleBinding',
      people.slice(1).map((name, i) => {
        const workspace = workspaceName(i % workspaces)
        return binding(`${name}-${workspace}-regular`, 'WorkspaceRole', `${workspace}-regular`, name, {
          labels: { [WORKSPACE]: workspace },
        })
      }),
    ),
    '/apis/rbac.authorization.k8s.io/v1/roles': list(
      RBAC,
      'Role',
      range(namespaces, (i) => object('viewer', { rules: VIEWER }, { namespace: namespaceName(i) })),
    ),
    '/apis/rbac.authorization.k8s.io/v1/rolebindings': list(RBAC, 'RoleBinding', [
      ...range(bindingsOfMember(size), (i) =>
        binding(`${MEMBER}-viewer`, 'Role', 'viewer', MEMBER, { namespace: namespaceName(i) }),
      ),
      ...range(size.bindings, (i) => {
        const name = userName(i % users)
        const place = namespaceName((i * 7 + Math.floor(i / users)) % namespaces)
        return binding(`${name}-viewer-${i}`, 'Role', 'viewer', name, { namespace: place })
      }),
    ]),
  }
}

const RBAC = 'rbac.authorization.k8s.io/v1'
const CREATED = '2026-01-01T00:00:00Z'
const VIEWER = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]

function list(apiVersion: string, kind: string, items: KubeObject[]): Lists[string] {
  return { apiVersion, kind: `${kind}List`, items }
}

let serial = 0

function object(name: string, rest: object, metadata: KubeObject['metadata'] = {}): KubeObject {
  const uid = `00000000-0000-4000-8000-${(++serial).toString(16).padStart(12, '0')}`
  // The embedded API takes versions over; a genuine one makes its own.
  const resourceVersion = String(serial)
  return { metadata: { name, uid, resourceVersion, creationTimestamp: CREATED, ...metadata }, ...rest }
}

function namespace(name: string, workspace: string): KubeObject {
  return object(
    name,
    { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
    { labels: { [WORKSPACE]: workspace, 'kubesphere.io/namespace': name } },
  )
}

function binding(
  name: string,
  kind: string,
  role: string,
  user: string,
  metadata: KubeObject['metadata'] = {},
): KubeObject {
  const apiGroup = kind === 'Role' ? 'rbac.authorization.k8s.io' : 'iam.kubesphere.io'
  return object(
    name,
    {
      roleRef: { apiGroup, kind, name: role },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
    },
    { ...metadata, labels: { ...metadata.labels, 'iam.kubesphere.io/user-ref': user } },
  )
}

/** 2.6 KB, as a scheduled pod of a Deployment is without managed fields. */
function pod(i: number, namespaceOfPod: string): KubeObject {
  const app = `app-${i % 100}`
  const created = new Date(Date.parse(CREATED) + i * 1_000).toISOString().replace(/\.\d+Z/, 'Z')
  const phase = i % 50 === 0 ? 'Pending' : 'Running'
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: created })
  return object(
    `${app}-${(i * 2_654_435_761) % 4_294_967_296}-${i}`,
    {
      spec: {
        nodeName: `node-${i % 200}`,
        serviceAccountName: 'default',
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        securityContext: {},
        volumes: [{ name: 'config', configMap: { name: 'config', defaultMode: 420 } }],
        containers: [
          {
            name: 'main',
            image: 'registry.example.com/team/app:1.2.3',
            imagePullPolicy: 'IfNotPresent',
            ports: [{ containerPort: 8080, protocol: 'TCP' }],
            env: Array.from({ length: 6 }, (_, n) => ({ name: `SETTING_${n}`, value: `value of ${n}` })),
            resources: {
              limits: { cpu: '500m', memory: '512Mi' },
              requests: { cpu: '100m', memory: '128Mi' },
            },
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
          },
        ],
        tolerations: [
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
          {
            key: 'node.kubernetes.io/unreachable',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
        ],
      },
      status: {
        phase,
        hostIP: `10.0.0.${i % 200}`,
        podIP: `10.1.${(i >> 8) & 255}.${i & 255}`,
        startTime: created,
        qosClass: 'Burstable',
        conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
        containerStatuses: [
          {
            name: 'main',
            ready: phase === 'Running',
            restartCount: 0,
            started: true,
            image: 'registry.example.com/team/app:1.2.3',
            imageID: `registry.example.com/team/app@sha256:${'0'.repeat(64)}`,
            containerID: `containerd://${i.toString(16).padStart(64, '0')}`,
            state: { running: { startedAt: created } },
            lastState: {},
          },
        ],
      },
    },
    {
      namespace: namespaceOfPod,
      creationTimestamp: created,
      labels: { app, tier: i % 2 === 0 ? 'front' : 'back', 'pod-template-hash': '5d8f9c7b6' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-5d8f9c7b6`,
          uid: '00000000-0000-4000-9000-000000000001',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  )
}

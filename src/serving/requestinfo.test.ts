/** Every example of the contract's table, then what the table leaves open. */
import { describe, expect, it } from 'vitest'
import { NO_INFO, parseRequestInfo, RequestInfoError, type RequestInfoOptions } from './requestinfo.js'
import { type RequestInfo } from './requestinfo.types.js'

interface Example {
  line: string
  info?: Partial<RequestInfo>
  /** The scope is Global when that option is on. */
  global?: true
  error?: true
}

const EXAMPLES: Example[] = [
  { line: 'POST /oauth/token', info: { verb: 'POST' } },
  { line: 'GET /', info: { verb: 'GET' } },
  { line: 'GET /healthz', info: { verb: 'GET' } },
  { line: 'GET /kapis/version', info: { verb: 'GET' } },
  { line: 'GET /kapis/metrics', info: { verb: 'GET' } },
  { line: 'GET /kapis/clusters/gondor', info: { verb: 'GET', cluster: 'gondor' } },
  { line: 'GET /kapis/clusters/gondor/version', info: { verb: 'GET', cluster: 'gondor' } },
  {
    line: 'GET /kapis/config.kubesphere.io/v1alpha2/configs/configz',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'config.kubesphere.io',
      apiVersion: 'v1alpha2',
      resource: 'configs',
      name: 'configz',
      resourceScope: 'Cluster',
    },
  },
  { line: 'GET /api', info: { verb: 'GET', isKubernetesRequest: true } },
  { line: 'GET /api/v1', info: { verb: 'GET', isKubernetesRequest: true } },
  { line: 'GET /apis', info: { verb: 'GET', isKubernetesRequest: true } },
  { line: 'GET /apis/apps', info: { verb: 'GET', isKubernetesRequest: true } },
  { line: 'GET /apis/apps/v1', info: { verb: 'GET', isKubernetesRequest: true } },
  {
    line: 'GET /apis/apps/v1/deployments',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'apps',
      apiVersion: 'v1',
      resource: 'deployments',
      resourceScope: 'Cluster',
    },
  },
  { line: 'GET /apis/clusters/gondor', info: { verb: 'GET', isKubernetesRequest: true, cluster: 'gondor' } },
  {
    line: 'GET /apis/clusters/gondor/apps/v1',
    info: { verb: 'GET', isKubernetesRequest: true, cluster: 'gondor' },
  },
  {
    line: 'GET /apis/clusters/gondor/apps/v1/deployments',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'apps',
      apiVersion: 'v1',
      cluster: 'gondor',
      resource: 'deployments',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/clusters/gondor',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'clusters',
      cluster: 'gondor',
      resource: 'gondor',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/clusters/gondor/v1/nodes',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      cluster: 'gondor',
      resource: 'nodes',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/nodes',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'nodes',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'HEAD /api/v1/nodes',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'nodes',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/nodes/n1',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'nodes',
      name: 'n1',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/namespaces',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'namespaces',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'namespaces',
      name: 'ns1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'PUT /api/v1/namespaces/ns1/finalize',
    info: {
      verb: 'update',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'namespaces',
      subresource: 'finalize',
      name: 'ns1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1/pods',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'pods',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1/pods/p1/log',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'pods',
      subresource: 'log',
      name: 'p1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1/pods/p1/exec',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'pods',
      subresource: 'exec',
      name: 'p1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'DELETE /api/v1/namespaces/ns1/pods',
    info: {
      verb: 'deletecollection',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'pods',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'PATCH /apis/apps/v1/namespaces/ns1/deployments/d1',
    info: {
      verb: 'patch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'apps',
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'deployments',
      name: 'd1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'PUT /apis/apps/v1/namespaces/ns1/deployments/d1/scale',
    info: {
      verb: 'update',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'apps',
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'deployments',
      subresource: 'scale',
      name: 'd1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'OPTIONS /apis/apps/v1/namespaces/ns1/deployments',
    info: {
      verb: '',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'apps',
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'deployments',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/watch/namespaces',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'namespaces',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/watch/namespaces?labelSelector=kubesphere.io/workspace=ws1',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      workspace: 'ws1',
      resource: 'namespaces',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /api/v1/namespaces?watch=true&labelSelector=kubesphere.io/workspace=ws1',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      workspace: 'ws1',
      resource: 'namespaces',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /api/v1/namespaces?watch=xyz',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'namespaces',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/namespaces?watch=false',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'namespaces',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1/pods?watch=true&labelSelector=kubesphere.io/workspace=ws1',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      workspace: 'ws1',
      namespace: 'ns1',
      resource: 'pods',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /api/v1/watch/namespaces/ns1/pods/p1',
    info: {
      verb: 'watch',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'pods',
      name: 'p1',
      resourceScope: 'Namespace',
    },
  },
  { line: 'GET /api/v1/watch', error: true },
  {
    line: 'GET /api/v1/proxy/namespaces/ns1/services/s1',
    info: {
      verb: 'proxy',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'services',
      name: 's1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/proxy/nodes/n1/stats',
    info: {
      verb: 'proxy',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'nodes',
      name: 'n1',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /api/v1/namespaces/ns1/services/s1:80/proxy/index.html',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      namespace: 'ns1',
      resource: 'services',
      subresource: 'proxy',
      name: 's1:80',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /api/v1/pods?fieldSelector=metadata.name%3Dp1',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'pods',
      name: 'p1',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /apis/cluster.kubesphere.io/v1alpha1/clusters',
    info: {
      verb: 'list',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'cluster.kubesphere.io',
      apiVersion: 'v1alpha1',
      resource: 'clusters',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /apis/cluster.kubesphere.io/v1alpha1/clusters/gondor',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiGroup: 'cluster.kubesphere.io',
      apiVersion: 'v1alpha1',
      resource: 'clusters',
      name: 'gondor',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/cluster.kubesphere.io/v1alpha1/clusters/gondor/agent/deployment',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'cluster.kubesphere.io',
      apiVersion: 'v1alpha1',
      resource: 'clusters',
      subresource: 'agent',
      name: 'gondor',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/resources.kubesphere.io/v1alpha3/clusters',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'resources.kubesphere.io',
      apiVersion: 'v1alpha3',
      resource: 'clusters',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      resource: 'workspaces',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces/ws1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      resource: 'workspaces',
      name: 'ws1',
      resourceScope: 'Workspace',
    },
    global: true,
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces/ws1/namespaces',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      resource: 'namespaces',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces/ws1/namespaces/ns1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      namespace: 'ns1',
      resource: 'namespaces',
      name: 'ns1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces/ws1/devops',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      resource: 'devops',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /kapis/tenant.kubesphere.io/v1alpha2/workspaces/ws1/devops/d1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      devops: 'd1',
      resource: 'devops',
      name: 'd1',
      resourceScope: 'DevOps',
    },
  },
  {
    line: 'GET /kapis/clusters/gondor/tenant.kubesphere.io/v1alpha2/workspaces/ws1/namespaces',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'tenant.kubesphere.io',
      apiVersion: 'v1alpha2',
      cluster: 'gondor',
      workspace: 'ws1',
      resource: 'namespaces',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /kapis/clusters/gondor/resources.kubesphere.io/v1alpha3/namespaces/ns1/deployments',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'resources.kubesphere.io',
      apiVersion: 'v1alpha3',
      cluster: 'gondor',
      namespace: 'ns1',
      resource: 'deployments',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /kapis/iam.kubesphere.io/v1alpha2/users/admin',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      resource: 'users',
      name: 'admin',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'PUT /kapis/iam.kubesphere.io/v1alpha2/users/admin/password',
    info: {
      verb: 'update',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      resource: 'users',
      subresource: 'password',
      name: 'admin',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/iam.kubesphere.io/v1alpha2/workspaces/ws1/workspacemembers/u1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      workspace: 'ws1',
      resource: 'workspacemembers',
      name: 'u1',
      resourceScope: 'Workspace',
    },
  },
  {
    line: 'GET /kapis/iam.kubesphere.io/v1alpha2/namespaces/ns1/members',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      namespace: 'ns1',
      resource: 'members',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /kapis/iam.kubesphere.io/v1alpha2/devops/d1/members',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      devops: 'd1',
      resource: 'members',
      resourceScope: 'DevOps',
    },
  },
  {
    line: 'POST /kapis/iam.kubesphere.io/v1alpha2/login',
    info: {
      verb: 'create',
      isResourceRequest: true,
      apiGroup: 'iam.kubesphere.io',
      apiVersion: 'v1alpha2',
      resource: 'login',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /kapis/devops.kubesphere.io/v1alpha3/devops/d1/pipelines/p1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'devops.kubesphere.io',
      apiVersion: 'v1alpha3',
      devops: 'd1',
      resource: 'pipelines',
      name: 'p1',
      resourceScope: 'DevOps',
    },
  },
  {
    line: 'GET /kapis/terminal.kubesphere.io/v1alpha2/namespaces/ns1/pods/p1/exec',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'terminal.kubesphere.io',
      apiVersion: 'v1alpha2',
      namespace: 'ns1',
      resource: 'pods',
      subresource: 'exec',
      name: 'p1',
      resourceScope: 'Namespace',
    },
  },
  {
    line: 'GET /kapis/clusters/host/terminal.kubesphere.io/v1alpha2/nodes/n1/exec',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'terminal.kubesphere.io',
      apiVersion: 'v1alpha2',
      cluster: 'host',
      resource: 'nodes',
      subresource: 'exec',
      name: 'n1',
      resourceScope: 'Cluster',
    },
  },
  {
    line: 'GET /kapis/notification.kubesphere.io/v2beta1/configs',
    info: {
      verb: 'list',
      isResourceRequest: true,
      apiGroup: 'notification.kubesphere.io',
      apiVersion: 'v2beta1',
      resource: 'configs',
      resourceScope: 'Cluster',
    },
    global: true,
  },
  {
    line: 'GET /kapis/notification.kubesphere.io/v2beta1/users/u1/receivers',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiGroup: 'notification.kubesphere.io',
      apiVersion: 'v2beta1',
      resource: 'users',
      subresource: 'receivers',
      name: 'u1',
      resourceScope: 'Cluster',
    },
  },
  { line: 'GET /kapis/foo/bar/', info: { verb: 'GET' } },
  {
    line: 'GET /kapi/v1/things/t1',
    info: {
      verb: 'get',
      isResourceRequest: true,
      apiVersion: 'v1',
      resource: 'things',
      name: 't1',
      resourceScope: 'Cluster',
    },
  },
  { line: 'GET /foo/bar', info: { verb: 'GET' } },
  {
    line: 'GET //api/v1//nodes',
    info: {
      verb: 'get',
      isKubernetesRequest: true,
      isResourceRequest: true,
      apiVersion: 'v1',
      name: 'nodes',
      resourceScope: 'Cluster',
    },
  },
  { line: 'GET /clusters/gondor/kapis/iam.kubesphere.io/v1alpha2/users', info: { verb: 'GET' } },
]

function parse(line: string, options?: RequestInfoOptions): RequestInfo {
  const [method = '', target = ''] = line.split(' ')
  const [path = '', search] = target.split('?')
  const query = search === undefined ? undefined : new URLSearchParams(search)
  return parseRequestInfo({ method, path, query, sourceIP: '', userAgent: '' }, options)
}

/** The fields that the table has. */
function fields(info: RequestInfo): Partial<RequestInfo> {
  const { path: _path, apiPrefix: _prefix, parts: _parts, ...rest } = info
  return rest
}

describe('request info of the contract', () => {
  it.each(EXAMPLES)('reads $line', ({ line, info, error }) => {
    if (error) expect(() => parse(line)).toThrow(RequestInfoError)
    else expect(fields(parse(line))).toEqual(fields({ ...NO_INFO, ...info }))
  })

  it.each(EXAMPLES.filter(({ info }) => info?.isResourceRequest))(
    'gives $line the scope of release 3.4 when asked to',
    ({ line, info, global }) => {
      const { resourceScope } = parse(line, { globalScope: true })
      expect(resourceScope).toBe(global ? 'Global' : info?.resourceScope)
    },
  )
})

describe('request info of odd requests', () => {
  it('takes a group-less path that ends after the cluster for no resource, where the original crashed', () => {
    expect(parse('GET /api/clusters/gondor/v1')).toMatchObject({
      isResourceRequest: false,
      cluster: 'gondor',
    })
  })

  it('has the explain group at global scope whatever the option', () => {
    expect(parse('POST /kapis/explain.orrery.io/v1alpha1/explanations').resourceScope).toBe('Global')
  })

  it.each([
    ['a second requirement', 'kubesphere.io/workspace=ws1,a=b'],
    ['an empty workspace', 'kubesphere.io/workspace='],
    ['a wildcard', 'kubesphere.io/workspace=*'],
    ['another operator', 'kubesphere.io/workspace==ws1'],
  ])('does not take a watch to a workspace for %s', (_what, selector) => {
    const line = `GET /api/v1/pods?watch=true&labelSelector=${encodeURIComponent(selector)}`
    expect(parse(line)).toMatchObject({ workspace: '', resourceScope: 'Cluster' })
  })

  it('does not let a watch selector move a request of our own groups to another workspace', () => {
    const path = '/kapis/tenant.kubesphere.io/v1alpha2/workspaces/victim/namespaces'
    const info = parse(`GET ${path}?watch=true&labelSelector=kubesphere.io/workspace=mine`)
    expect(info).toMatchObject({ workspace: 'victim', resourceScope: 'Workspace' })
  })

  it('does not take the watch of a subresource to a workspace', () => {
    const path = '/api/v1/watch/namespaces/victim/pods/p/log'
    const info = parse(`GET ${path}?labelSelector=kubesphere.io/workspace=mine`)
    expect(info).toMatchObject({ workspace: '', namespace: 'victim', resourceScope: 'Namespace' })
  })

  it('takes a list of our own groups for a list, whatever the field selector names', () => {
    const path = '/kapis/iam.kubesphere.io/v1alpha2/users'
    expect(parse(`GET ${path}?fieldSelector=metadata.name%3Dme`)).toMatchObject({ verb: 'list', name: '' })
  })

  it('reads flags as the Kubernetes API does: the first one counts, only false and 0 are off', () => {
    expect(parse('GET /api/v1/pods?watch').verb).toBe('watch')
    expect(parse('GET /api/v1/pods?watch=0').verb).toBe('list')
    expect(parse('GET /api/v1/pods?watch=False').verb).toBe('list')
    expect(parse('GET /api/v1/pods?watch=false&watch=true').verb).toBe('list')
  })

  it('takes a name from a field selector only when it can be one', () => {
    expect(parse('GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn,metadata.name%3Dp1').name).toBe('p1')
    expect(parse('GET /api/v1/pods?fieldSelector=metadata.name%3D..').name).toBe('')
    expect(parse('GET /api/v1/pods?fieldSelector=metadata.name%3Da%2Fb').name).toBe('')
    expect(parse('GET /api/v1/pods?fieldSelector=metadata.name!%3Dp1').name).toBe('')
  })
})

/**
 * What every cluster has from its first moment: namespaces, the service `kubernetes`, RBAC, priority
 * classes, flow control, APIServices.
 *
 * Adds what is missing and changes nothing that is there, with one exception: bootstrap roles and bindings
 * annotated with autoupdate get back rules and subjects that they have lost.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { bootstrapObjects } from '../builtin/index.js'
import { type Objects } from '../objects.js'
import { missingFrom, type PolicyRule } from '../authorization/rules.js'
import { RBAC_GROUP, type Subject } from '../authorization/rbac.js'
import { FRONT_PROXY } from '../aggregator/types.js'
import { Writer } from './writer.js'
import { type Registry } from '../registry/store.js'
import { type Catalogue } from '../registry/strategy.js'

export const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

export interface BootstrapDeps {
  objects: Objects
  registry: Registry
  catalogue: Catalogue
  /** The first address of the service range. */
  serviceAddress: string
  /** Where the API is reached from inside; no Endpoints subset without. */
  advertise: { address: string; port: number } | undefined
  /** PEM, of the authority behind every client certificate. */
  authority: string
}

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

export async function bootstrap(deps: BootstrapDeps): Promise<void> {
  const { objects, registry, catalogue } = deps
  const writer = new Writer(registry, catalogue, 'kube-apiserver')
  const add = async (group: string, resource: string, object: KubeObject): Promise<void> => {
    const { namespace = '', name = '' } = object.metadata
    if (!objects.get(group, resource, namespace, name)) await writer.createMissing(object)
  }
  const addAll = (group: string, version: string, resource: string, all: KubeObject[]): Promise<void>[] =>
    all.map((object) => add(group, resource, withKind(catalogue, group, version, resource, object)))

  await Promise.all(
    SYSTEM_NAMESPACES.map((name) =>
      add('', 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    ),
  )
  const data = bootstrapObjects()
  await Promise.all([
    ...kubernetesService(deps).map((object) =>
      add('', object.kind === 'Service' ? 'services' : 'endpoints', object),
    ),
    ...addAll('scheduling.k8s.io', 'v1', 'priorityclasses', data.priorityclasses),
    ...addAll('flowcontrol.apiserver.k8s.io', 'v1beta1', 'flowschemas', data.flowschemas),
    ...addAll(
      'flowcontrol.apiserver.k8s.io',
      'v1beta1',
      'prioritylevelconfigurations',
      data.prioritylevelconfigurations,
    ),
    ...addAll('apiregistration.k8s.io', 'v1', 'apiservices', data.apiservices.map(localService)),
    add('', 'configmaps', forExtensions(deps.authority)),
    // The API is ready only when everybody may do what they may: roles and bindings are not put off.
    ...(['clusterroles', 'roles', 'clusterrolebindings', 'rolebindings'] as const).flatMap((resource) =>
      data[resource].map((object) =>
        keepRbac(deps, writer, resource, withKind(catalogue, RBAC_GROUP, 'v1', resource, object)),
      ),
    ),
  ])
}

function withKind(
  catalogue: Catalogue,
  group: string,
  version: string,
  resource: string,
  object: KubeObject,
): KubeObject {
  const { kind = '' } = catalogue.get(group, version, resource) ?? {}
  return { ...object, kind, apiVersion: group === '' ? version : `${group}/${version}` }
}

function localService(object: KubeObject): KubeObject {
  return { ...object, status: {} }
}

function kubernetesService({ serviceAddress, advertise }: BootstrapDeps): KubeObject[] {
  const metadata = { name: 'kubernetes', namespace: 'default' }
  const port = { name: 'https', protocol: 'TCP' }
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: 'ClusterIP',
        clusterIP: serviceAddress,
        sessionAffinity: 'None',
        ports: [{ ...port, port: 443, targetPort: advertise?.port ?? 6443 }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      ...(advertise && {
        subsets: [{ addresses: [{ ip: advertise.address }], ports: [{ ...port, port: advertise.port }] }],
      }),
    },
  ]
}

/** Makes a bootstrap role or binding, or gives it back what it has lost. */
async function keepRbac(
  { objects }: BootstrapDeps,
  writer: Writer,
  resource: 'clusterroles' | 'roles' | 'clusterrolebindings' | 'rolebindings',
  wanted: KubeObject,
): Promise<void> {
  const { name = '', namespace = '' } = wanted.metadata
  const found = objects.get(RBAC_GROUP, resource, namespace, name)
  if (!found) {
    await writer.createMissing(wanted)
    return
  }
  if (found.metadata.annotations?.[AUTOUPDATE] !== 'true' || !reconciled(structuredClone(found), wanted)) {
    return
  }
  const definition = writer.definition(RBAC_GROUP, 'v1', resource)
  await writer.update(definition, namespace, name, (current) => {
    reconciled(current, wanted)
    return current
  })
}

/** Adds the rules and subjects that `found` lacks. @returns whether there were any */
function reconciled(found: KubeObject, wanted: KubeObject): boolean {
  // Rules of an aggregated role are the aggregation controller's.
  if (wanted.aggregationRule !== undefined) return false
  if (wanted.roleRef === undefined) {
    const rules = (found.rules ?? []) as PolicyRule[]
    const missing = missingFrom(rules, (wanted.rules ?? []) as PolicyRule[])
    if (missing.length > 0) found.rules = [...rules, ...missing]
    return missing.length > 0
  }
  const subjects = (found.subjects ?? []) as Subject[]
  const missing = ((wanted.subjects ?? []) as Subject[]).filter(
    (subject) => !subjects.some((known) => sameSubject(known, subject)),
  )
  if (missing.length > 0) found.subjects = [...subjects, ...missing]
  return missing.length > 0
}

function sameSubject(one: Subject, other: Subject): boolean {
  return (
    one.kind === other.kind && one.name === other.name && (one.namespace ?? '') === (other.namespace ?? '')
  )
}

/** Where API servers that are registered with this one read whose word about callers to take. */
function forExtensions(authority: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': authority,
      'requestheader-allowed-names': JSON.stringify([FRONT_PROXY]),
      'requestheader-client-ca-file': authority,
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    },
  }
}

/** The first data that ships in config/, and the few objects that are simpler said here. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { type KubeObject } from '../apimachinery/meta/types.js'

/** `config/` of this package, wherever the compiled program lies in it. */
export function configDir(name: string): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const candidate = join(at, 'config', name)
    if (existsSync(candidate)) return candidate
    if (at === dirname(at)) throw new Error(`config/${name} is missing beside the program`)
  }
}

export interface Definition {
  name: string
  /** As it goes on the wire. */
  bytes: Buffer
}

export async function definitions(dir = configDir('crds')): Promise<Definition[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.json'))
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.json'.length),
      bytes: await readFile(join(dir, file)),
    })),
  )
}

/** Built-in roles, templates and bindings, by file: `globalroles`, `clusterroles`, ... */
export async function roles(dir = configDir('roles')): Promise<Map<string, KubeObject[]>> {
  const files = (await readdir(dir)).filter((file) => file.endsWith('.yaml'))
  const read = await Promise.all(
    files.map(async (file) => {
      const objects = documents(await readFile(join(dir, file), 'utf8'))
      return [file.slice(0, -'.yaml'.length), objects] as const
    }),
  )
  return new Map(read)
}

/** YAML documents; those written as JSON are read the fast way. */
function documents(text: string): KubeObject[] {
  try {
    return text.split(/^---\n/m).map((document) => JSON.parse(document) as KubeObject)
  } catch {
    return parseAllDocuments(text)
      .map((document) => document.toJSON() as KubeObject | null)
      .filter((object) => object !== null)
  }
}

export const SYSTEM_WORKSPACE = 'system-workspace'

/** Created when missing, and labelled into the system workspace when they belong to none. */
export const SYSTEM_NAMESPACES: readonly string[] = [
  'default',
  'kube-public',
  'kube-system',
  'kubesphere-controls-system',
  'kubesphere-monitoring-system',
  'kubesphere-system',
]

/** Secrets of notifications are kept here. Comes with a new platform; an older one has its own idea of it. */
export const NOTIFICATION_NAMESPACE = 'kubesphere-monitoring-federated'

/** Labelled only when they are there: parts that not every cluster has. */
export const OPTIONAL_NAMESPACES: readonly string[] = [
  'gatekeeper-system',
  'istio-system',
  'kube-federation-system',
  'kube-node-lease',
  'kubeedge',
  'kubesphere-devops-system',
  'kubesphere-logging-system',
]

const metadata = {
  name: SYSTEM_WORKSPACE,
  labels: { 'kubefed.io/managed': 'false' },
  annotations: { 'kubesphere.io/creator': 'admin' },
}
const spec = { manager: 'admin', networkIsolation: false }

export const WORKSPACE_TEMPLATE: KubeObject = {
  apiVersion: 'tenant.kubesphere.io/v1alpha2',
  kind: 'WorkspaceTemplate',
  metadata,
  spec: { placement: { clusterSelector: {} }, template: { spec } },
}

export const WORKSPACE: KubeObject = {
  apiVersion: 'tenant.kubesphere.io/v1alpha1',
  kind: 'Workspace',
  metadata,
  spec,
}

export function namespace(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: namespaceLabels(name) } }
}

export function namespaceLabels(name: string): Record<string, string> {
  return { 'kubesphere.io/namespace': name, 'kubesphere.io/workspace': SYSTEM_WORKSPACE }
}

export function adminUser(passwordHash: string): KubeObject {
  return {
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    kind: 'User',
    metadata: {
      name: 'admin',
      annotations: { 'helm.sh/resource-policy': 'keep', 'iam.kubesphere.io/uninitialized': 'true' },
    },
    spec: { email: 'admin@kubesphere.io', password: passwordHash },
    status: { state: 'Active' },
  }
}

/** `orrery kubeconfig`: access to the embedded Kubernetes API, for the administrator or a named user. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { kubeconfigFor, openPki } from '../kube/pki/index.js'
import { dataDirectory } from './datadir.js'
import { UsageError } from './failures.js'

export interface KubeconfigFlags {
  user?: string
  dataDir: string
}

export async function kubeconfig({ user, dataDir }: KubeconfigFlags): Promise<void> {
  const data = dataDirectory(dataDir)
  if (!existsSync(data.kubeconfig)) {
    throw new UsageError(
      `There is no Kubernetes API in ${data.path} yet. Start one with: orrery up --data-dir ${dataDir}`,
    )
  }
  const administrator = readFileSync(data.kubeconfig, 'utf8')
  if (user === undefined) {
    process.stdout.write(administrator)
    return
  }
  const { clusters } = parse(administrator) as { clusters: { cluster: { server: string } }[] }
  const pki = await openPki({ folder: join(data.kube, 'pki') })
  // A certificate says who somebody is; what they may do is for roles and bindings to say.
  const { cert, key } = pki.issueClient({ commonName: user, organizations: [] })
  const server = clusters[0]?.cluster.server ?? ''
  process.stdout.write(kubeconfigFor({ server, ca: pki.authority.cert, user, cert, key }))
}

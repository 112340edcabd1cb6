/** Reaches the Kubernetes API of a cluster, as a kubeconfig or the service account of a pod says. */
import { loadInClusterConfig, loadKubeconfig } from '../client/kubeconfig.js'
import { createTransport } from '../client/http1.js'
import { type Transport } from '../client/transport.js'

export interface Cluster {
  transport: Transport
  server: string
}

export function connect(kubeconfig: string): Cluster {
  const config =
    kubeconfig === 'in-cluster'
      ? loadInClusterConfig()
      : loadKubeconfig({ paths: kubeconfig.split(':'), environment: process.env })
  return { transport: createTransport(config), server: config.server }
}

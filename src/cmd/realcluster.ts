/** Reaches the Kubernetes API of a cluster, as a kubeconfig or the service account of a pod says. */
import { loadInClusterConfig, loadKubeconfig } from '../client/kubeconfig.js'
import { createTransport } from '../client/http.js'
import { type KubernetesAddress } from '../controllers/deps.js'
import { type Transport } from '../client/transport.js'

export interface Cluster {
  transport: Transport
  server: string
  /** How others reach it: users, with the kubeconfigs that the platform writes for them. */
  address: KubernetesAddress
}

export function connect(kubeconfig: string): Cluster {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  const config =
    kubeconfig === 'in-cluster'
      ? loadInClusterConfig({
          // An address is good outside of pods too, a name of the cluster's own DNS is not.
          ...(host !== undefined && { host }),
          ...(port !== undefined && { port }),
        })
      : loadKubeconfig({ paths: kubeconfig.split(':'), environment: process.env })
  const { server, tls } = config
  return {
    transport: createTransport(config),
    server,
    address: { server, ...(tls.ca !== undefined && { ca: tls.ca.toString() }) },
  }
}

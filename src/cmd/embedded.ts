/** Starts the embedded Kubernetes API the way the commands want it. */
import { startKube, type Kube } from '../kube/index.js'
import { type Logger } from '../serving/log.js'
import { type DataDirectory } from './datadir.js'

export interface EmbeddedFlags {
  data: DataDirectory
  memory: boolean
  bindAddress: string
  kubePort: number
  /** Simulated ones. */
  nodes: number
  /** A directory: what simulated containers do. */
  stages?: string
  /** Patterns of names. Default: those that fit the number of nodes. */
  kubeControllers?: string[]
  logger: Logger
}

export function startEmbedded({
  data,
  memory,
  bindAddress,
  kubePort,
  nodes,
  stages,
  kubeControllers,
  logger,
}: EmbeddedFlags): Promise<Kube> {
  return startKube({
    ...(memory ? { memory: true } : { dataDir: data.kube }),
    kubeconfigPath: data.kubeconfig,
    host: bindAddress,
    port: kubePort,
    nodes,
    ...(stages !== undefined && { stages }),
    ...(kubeControllers && { controllers: kubeControllers }),
    logger,
  })
}

/** What the controllers of identity and tenancy are given. */
import { type Passwords } from '../authentication/passwords.js'
import { type InformerSet } from '../client/cache/interface.js'
import { type RestClient } from '../client/rest.js'
import { type Options } from '../configuration/options.js'
import { type EventWriter, type Logger } from '../controller/index.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface TenancyControllerDeps {
  resources: TenancyResources
  events: EventWriter
  /** For resources of one controller alone. */
  informers: InformerSet
  /** For what is needed too rarely to be worth a cache. */
  client: RestClient
  options: Options
  /** Hashes for logins and for users, in one queue. */
  passwords: Passwords
  /** How users reach the Kubernetes API; absent: nobody can say, and no kubeconfig is written. */
  kubernetes?: KubernetesAddress
  logger: Logger
}

export interface KubernetesAddress {
  /** `https://10.96.0.1:443` */
  server: string
  /** PEM; absent: it is trusted as the world's web servers are. */
  ca?: string
}

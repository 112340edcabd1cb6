/** What the routes of resources.kubesphere.io/v1alpha2 are given. */
import { type Rights } from '../../../authorization/rights.js'
import { type RestClient } from '../../../client/rest.js'
import { type TenancyResources } from '../../../tenancy/resources.js'

export interface ResourcesV2Deps {
  /** With the server's own rights. */
  client: RestClient
  resources: Pick<TenancyResources, 'users'>
  rights: Rights
  /** `kubernetes.master`: where users reach the Kubernetes API; "" when that is where the platform does. */
  master: string
}

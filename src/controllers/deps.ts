/** What the controllers of identity and tenancy are given. */
import { type InformerSet } from '../client/cache/interface.js'
import { type RestClient } from '../client/rest.js'
import { type Options } from '../configuration/options.js'
import { type EventWriter } from '../controller/index.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface TenancyControllerDeps {
  resources: TenancyResources
  events: EventWriter
  /** For resources of one controller alone. */
  informers: InformerSet
  /** For what is needed too rarely to be worth a cache. */
  client: RestClient
  options: Options
}

/** What the controllers of identity and tenancy are given. */
import { type EventWriter } from '../controller/index.js'
import { type TenancyResources } from '../tenancy/resources.js'

export interface TenancyControllerDeps {
  resources: TenancyResources
  events: EventWriter
}

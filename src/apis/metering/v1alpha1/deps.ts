/** What the routes of metering.kubesphere.io are given. */
import { type MeteredMembers } from '../../../monitoring/metering/members.js'
import { type Metering } from '../../../monitoring/metering/metering.js'

export interface MeteringDeps {
  metering: Metering
  members: MeteredMembers
  now(): Date
}

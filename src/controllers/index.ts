/** The controllers of identity and tenancy: the one list of them. */
import { type Controller } from '../controller/index.js'
import { type TenancyControllerDeps } from './deps.js'

export function platformControllers(_deps: TenancyControllerDeps): Controller[] {
  return [
    // One line each, in the order of their names.
  ]
}

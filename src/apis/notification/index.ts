/** Assembles notification.kubesphere.io/v2beta1 and v2beta2. */
import { type ApiGroup } from '../../serving/route.js'
import { type NotificationDeps, resourcesOf } from './deps.js'
import { type Version } from './kinds.js'
import { Lists } from './lists.js'
import { objectRoutes } from './routes.js'
import { verificationRoutes } from './verification.js'
import { Writes } from './writes.js'

export { type Verifier } from './deps.js'

export function notificationGroups(deps: NotificationDeps): ApiGroup[] {
  const resources = resourcesOf(deps)
  const group = (version: Version): ApiGroup => {
    const routing = {
      version,
      lists: new Lists(deps.stores, resources, version),
      writes: new Writes(resources, version),
    }
    return {
      root: `/kapis/notification.kubesphere.io/${version}`,
      title: 'Receivers of alerts, their accounts, and what mutes them',
      errors: 'text',
      routes: [
        ...(version === 'v2beta2' ? verificationRoutes(deps.verifier) : []),
        ...objectRoutes(routing, 'user'),
        ...objectRoutes(routing, 'everybody'),
      ],
    }
  }
  return [group('v2beta1'), group('v2beta2')]
}

/** The controller of certificate signing requests (iam-tenant.md §7.2). */
import { type Controller, fromInformer, type Request, storedIn } from '../../controller/index.js'
import { type TenancyControllerDeps } from '../deps.js'
import { kubeconfigsOf } from '../kubeconfig/index.js'
import { userOf } from '../kubeconfig/requests.js'
import { whenSynced } from '../synced.js'
import { tellerOf } from '../telling.js'
import { CsrReconciler } from './csr.reconciler.js'

const NAME = 'csr'

/** None when nobody can say how the cluster is reached: then there are no requests either. */
export function csrController(deps: TenancyControllerDeps): Controller[] {
  const kubeconfigs = kubeconfigsOf(deps)
  if (kubeconfigs === undefined) return []
  const { keeper, credentials, requests, maps } = kubeconfigs
  const { users } = deps.resources
  const stored = storedIn(requests)
  const reconciler = new CsrReconciler({
    get: (name) => requests.get(name),
    user: (name) => users.get(name),
    pending: (user, signal) => credentials.pending(user, signal),
    async approve(request, condition, signal) {
      const { name = '', uid, resourceVersion } = request.metadata
      const conditions = [...(request.status?.conditions ?? []), condition]
      const patch = { metadata: { uid, resourceVersion }, status: { conditions } }
      await requests.patch(name, 'merge', patch, { subresource: 'approval', signal })
    },
    install: (user, pair, signal) => keeper.install(user, pair, signal),
    delete: (request, signal) => stored.delete(request, signal),
    // In the words of the original.
    tell: tellerOf(deps.events, NAME, requests, 'CertificateSigningRequest csrSynced successfully'),
    now: Date.now,
  })
  const needed = [users, requests, maps].map(({ informer }) => informer)
  return [
    {
      name: NAME,
      reconciler,
      sources: [
        whenSynced(
          needed,
          fromInformer(requests.informer, ({ name, labels }): Request[] =>
            userOf({ metadata: { name, labels } }) === undefined ? [] : [{ namespace: '', name }],
          ),
        ),
      ],
    },
  ]
}

/**
 * Certificate signing requests: those that the platform makes for its users are told by a label, which no client may
 * set, and the key that older releases left in them is not for anybody to read.
 *
 * Whoever approves or signs makes identities, of any name and group. Kubernetes asks a right per signer for that, of
 * the platform and not of its user, so here it takes an administrator.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { type Policy } from '../serving/guard/policy.js'
import { PRIVATE_KEY, USERNAME } from '../tenancy/names.js'
import { demandAdministrator, type GuardDeps } from './deps.js'
import { label } from './fields.js'

const RESOURCE = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }

export const certificatePolicy = (deps: GuardDeps): Policy => ({
  ...RESOURCE,
  indifferentTo: ['delete'],
  judge({ caller, subresource, name, before, after }) {
    if (subresource !== '')
      demandAdministrator(deps, caller, { level: 'cluster' }, RESOURCE, name, 'this makes an identity')
    const user = label(after, USERNAME)
    if (user !== undefined && user !== label(before, USERNAME))
      throw forbidden(RESOURCE, name, `requests with the label ${USERNAME} are made by the platform alone`)
  },
  conceal({ metadata }) {
    delete metadata.annotations?.[PRIVATE_KEY]
  },
})

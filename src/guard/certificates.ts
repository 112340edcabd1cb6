/**
 * Certificate signing requests: those that the platform makes for its users are told by a label, which no client may
 * set, and the key that older releases left in them is not for anybody to read.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { type Policy } from '../serving/guard/policy.js'
import { PRIVATE_KEY, USERNAME } from '../tenancy/names.js'
import { label } from './fields.js'

const RESOURCE = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' }

export const certificatePolicy: Policy = {
  ...RESOURCE,
  indifferentTo: ['delete'],
  judge({ name, before, after }) {
    const user = label(after, USERNAME)
    if (user !== undefined && user !== label(before, USERNAME))
      throw forbidden(RESOURCE, name, `requests with the label ${USERNAME} are made by the platform alone`)
  },
  conceal({ metadata }) {
    delete metadata.annotations?.[PRIVATE_KEY]
  },
}

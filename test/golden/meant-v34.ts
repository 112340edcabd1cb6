/** Where answers differ from the recordings of v3.4 on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NO_NEW_SESSION =
  'a disabled user gets no new session for an old refresh token, and no review calls it valid'
const NO_ECHO = 'the error says what a password needs, and does not show it on a screen or in a log'
const NOT_A_MEMBER = 'a workspace is for its members: any logged-in user could read every workspace (W4)'
const REFUSED = 'a refusal is 403, not 500'
const UNREACHABLE =
  'whether somebody administers another cluster cannot be told while it is out of reach: refused with 403'
const APPENDS = 'the first cluster can be added to an empty list'
const STRANGER =
  'a public cluster is open to those who may change the workspace: any user could place and evict those of others'
const SELECTOR =
  'a selector needs the right on clusters: a value without names was checked against nothing, and placed the workspace everywhere (W5)'
const AFTER_SELECTOR = 'the selector of entry 028 was refused (W5)'
const DIFFERENCE =
  'the difference of the placements is checked, not the form of the operation: what JSON patch allows is applied'

const NO_ADDRESSES =
  'what goes wrong behind the server is in its log: addresses of providers are nobody’s business'
const BOTH_NAMES =
  'the code grant is also known by the name that RFC 6749 gives it, so the code of entry 013 is used up'

const SECTIONS = 'configz names the sections that v3.2 has as well; no client reads `cache`'
const ALWAYS_ON =
  'notifications need no configuration here: receivers are listed as where the original has them configured, by owner'
const RELABELLED =
  'whose an object is follows from the path: a tenant could make a receiver that everybody’s alerts go to, or mute everybody'
const AFTER_LABELS = 'the labels stayed as they were, so the object is still its owner’s'
const NO_ADDRESS = 'the error does not show the address of the backend'

export const MEANT_34: Meant = {
  'oauth-3.4-providers-015': SECTIONS,
  'oauth-single-login-023': SECTIONS,
  'oauth-single-login-020': ALWAYS_ON,
  'oauth-single-login-021': ALWAYS_ON,
  'oauth-single-login-022': ALWAYS_ON,
  'oauth-3.4-providers-011': NO_ADDRESSES,
  'oauth-3.4-providers-012': 'without a code there is nothing to exchange, and the provider is not asked',
  'oauth-single-login-013': BOTH_NAMES,
  'oauth-single-login-014': BOTH_NAMES,
  'oauth-single-login-016': BOTH_NAMES,
  'oauth-single-login-017': BOTH_NAMES,
  'oauth-single-login-018': BOTH_NAMES,
  'oauth-single-login-019': BOTH_NAMES,
  'iam-3.4-write-008': NO_NEW_SESSION,
  'iam-3.4-write-012': NO_NEW_SESSION,
  'iam-3.4-write-026': NO_ECHO,
  'iam-3.4-write-027': NO_ECHO,
  'iam-3.4-write-028': NO_ECHO,
  'iam-3.4-write-030': NO_ECHO,
  'iam-3.4-write-031':
    'hashed at once, so that no reader of the API sees the password; hence the time in the annotations',
  // Tenancy.
  'tenant-3.4-read-006': NOT_A_MEMBER,
  'tenant-3.4-read-013': NOT_A_MEMBER,
  'tenant-3.4-read-016': NOT_A_MEMBER,
  'tenant-3.4-read-019': NOT_A_MEMBER,
  'tenant-3.4-read-037':
    'the token of a cluster agent is a credential: whoever holds it could pass for the cluster',
  'tenant-3.4-write-005': UNREACHABLE,
  'tenant-3.4-write-017': REFUSED,
  'tenant-3.4-write-018': REFUSED,
  'tenant-3.4-write-019': STRANGER,
  'tenant-3.4-write-020': UNREACHABLE,
  'tenant-3.4-write-021': APPENDS,
  'tenant-3.4-write-023': STRANGER,
  'tenant-3.4-write-024': STRANGER,
  'tenant-3.4-write-025': DIFFERENCE,
  'tenant-3.4-write-027': DIFFERENCE,
  'tenant-3.4-write-028': SELECTOR,
  'tenant-3.4-write-029': 'an object where a JSON patch belongs is the fault of the client: 400, not 500',
  'tenant-3.4-write-030': AFTER_SELECTOR,
  'tenant-3.4-write-034': AFTER_SELECTOR,
  'tenant-3.4-write-035': AFTER_SELECTOR,
  'tenant-3.4-write-037': AFTER_SELECTOR,
  // Notification.
  'notification-v2beta2-read-010': 'a list of nothing is an empty list, not null',
  'notification-v2beta2-read-028': 'a path that nobody serves is 404, not an empty 200',
  'notification-v2beta2-write-008': RELABELLED,
  'notification-v2beta2-write-010': AFTER_LABELS,
  'notification-v2beta2-write-011': AFTER_LABELS,
  'notification-v2beta2-write-020': RELABELLED,
  'notification-v2beta2-write-021': AFTER_LABELS,
  'notification-v2beta2-write-024': AFTER_LABELS,
  'notification-v2beta2-write-025': AFTER_LABELS,
  'notification-v2beta2-write-032': NO_ADDRESS,
  'notification-v2beta2-write-034': NO_ADDRESS,
  'notification-v2beta2-write-037': 'the answer says what is wrong, in the fields that clients show',
  'notification-v2beta2-write-041':
    'clients of v3.2 find their path; a receiver that is nobody’s is refused there too',
}

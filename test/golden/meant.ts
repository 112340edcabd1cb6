/**
 * Where an answer differs from the recording on purpose, and why ours is better. Keyed by the id of the recording.
 */
import { type Meant } from './replay.js'

const NO_HASH = 'password hashes leave the server in no answer'

const PUBLIC_HEALTH = 'health is open to probes: /healthz, /livez and /readyz answer everybody'
const STATE_ECHOED = 'the state parameter is given back to the client, as RFC 6749 asks'
const CODE_GRANT =
  'authorization_code, the name the discovery document gives, is accepted beside code; the code of this sequence is spent by then'

export const MEANT: Meant = {
  'base-009': PUBLIC_HEALTH,
  'base-010': PUBLIC_HEALTH,
  'base-024': PUBLIC_HEALTH,
  'proxy-read-008':
    'nodes of the embedded API have no kubelet; the message says so instead of naming a resolver',
  'proxy-read-021': 'the order of the first ADDED events is not significant; ours is by name, as in a list',
  'oauth-029': STATE_ECHOED,
  'oauth-036': STATE_ECHOED,
  'oauth-037': CODE_GRANT,
  'oauth-038': CODE_GRANT,
  'oauth-039': CODE_GRANT,
  'oauth-043': CODE_GRANT,
  'oauth-044': CODE_GRANT,
  'oauth-045': CODE_GRANT,
  'resources-v1alpha3-kinds-056': 'a kind that is not installed is an empty list here too, not an error',
  'resources-v1alpha3-kinds-090':
    'finished pods hold no resources: one node alone counts as it does in the list',
  'resources-v1alpha3-kinds-098': NO_HASH,
  'resources-v1alpha3-kinds-101': 'the error names the kind that was asked for',
  'resources-v1alpha3-filters-106': NO_HASH,
}

/** Where identity and tenancy differ from the recordings on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

export const MEANT: Meant = {
  // Members and groups.
  'iam-read-071': 'W29: an unknown user is 404, not 500',
  'iam-members-write-006':
    'W9: a role for a user who does not exist would be waiting for whoever takes the name; the user must be there',
  'iam-members-write-008': 'the message names a type of the Go source; ours says what the body must be',
  'iam-members-write-012':
    'the role "nosuch" is a leftover of a sequence that ran before the recording; here it does not exist',
  'iam-members-write-030':
    "W3: the group does not exist in the workspace, and could be made, or be another workspace's, with any rights",
  'iam-members-write-031': 'follows from iam-members-write-030: the binding is not there',
}

/** Where identity and tenancy differ from the recordings on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NOT_THERE = 'a user who is not there is 404, not the 500 of the original'

export const MEANT: Meant = {
  // Users.
  'iam-read-028': NOT_THERE,
  'iam-users-write-018':
    "finalizers are the controllers' own: a client that leaves them out does not take them away",
  'iam-users-write-027': 'the error speaks of the body, and does not name a type of a program',
  'iam-users-write-032': 'a password of five letters is guessed at once: the rules of v3.4 hold',
  'iam-users-write-035': NOT_THERE,
  'iam-self-update-001': 'a group that another recorded sequence has left behind',
  'iam-self-update-003':
    'who is refused a role has changed nothing: half a change would tell an attacker which half is checked',
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

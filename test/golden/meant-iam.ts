/** Where identity and tenancy differ from the recordings on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NOT_THERE = 'a user who is not there is 404, not the 500 of the original'
const NOT_A_MEMBER =
  'a workspace is for its members: any logged-in user could read every workspace, project and quota (W4)'
const AGENT_TOKEN =
  'the token of a cluster agent is a credential: whoever holds it could pass for the cluster and collect what is sent there'
const KEEPS_FINALIZERS =
  "finalizers are the controllers' own: who strips them and deletes at once leaves things behind that are nobody's"
const TRUTHFUL = 'what the client got wrong is 422, not 500'

export const MEANT: Meant = {
  // Users.
  'authz-169':
    'W2: a kubeconfig is the user; who may only read the cluster would act as anybody, an administrator too. v3.4 refuses as well',
  'iam-read-028': NOT_THERE,
  'iam-users-write-018':
    "finalizers are the controllers' own: a client that leaves them out does not take them away",
  'iam-users-write-032': 'a password of five letters is guessed at once: the rules of v3.4 hold',
  'iam-users-write-035': NOT_THERE,
  'iam-self-update-001': 'a group that another recorded sequence has left behind',
  'iam-self-update-003':
    'who is refused a role has changed nothing: half a change would tell an attacker which half is checked',
  // Members and groups.
  'iam-read-071': 'W29: an unknown user is 404, not 500',
  'iam-members-write-006':
    'W9: a role for a user who does not exist would be waiting for whoever takes the name; the user must be there',
  'iam-members-write-012':
    'the role "nosuch" is a leftover of a sequence that ran before the recording; here it does not exist',
  'iam-members-write-030':
    "W3: the group does not exist in the workspace, and could be made, or be another workspace's, with any rights",
  'iam-members-write-031': 'follows from iam-members-write-030: the binding is not there',
  // Tenancy.
  'authz-099': NOT_A_MEMBER,
  'authz-101': NOT_A_MEMBER,
  'authz-103': NOT_A_MEMBER,
  'authz-104': NOT_A_MEMBER,
  'authz-106': NOT_A_MEMBER,
  'tenant-read-010': AGENT_TOKEN,
  'tenant-read-019': NOT_A_MEMBER,
  'tenant-read-021': AGENT_TOKEN,
  'tenant-read-024': AGENT_TOKEN,
  'tenant-write-010': TRUTHFUL,
  'tenant-write-012': KEEPS_FINALIZERS,
  'tenant-write-018':
    'v1alpha2 takes JSON patches too, as 3.4 does: clients of both releases share one server',
  'tenant-write-024':
    'the creator, who becomes administrator of the project, is the caller: a client could name anybody (W13)',
  'tenant-write-029': KEEPS_FINALIZERS,
  'tenant-write-041': 'the project is gone by then; the original took its time',
  'tenant-write-036': TRUTHFUL,
  'tenant-write-037': TRUTHFUL,
  // Notification.
  'notification-read-024': 'v2beta2 is served, as v3.4 does',
  'notification-read-025':
    'a body that is no JSON is the fault of the client: 400, and says what is wrong with it',
  'notification-read-026': 'a path that nobody serves is 404, not an empty 200',
}

/** Where answers to the web console differ from the recorded ones on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NOT_A_MEMBER =
  'a workspace is for its members: any logged-in user could read every workspace and project (W4)'

const NOT_INSTALLED = 'a kind that is not installed is an empty list, not an error'

export const MEANT_CONSOLE: Meant = {
  'console-admin-096': NOT_INSTALLED,
  'console-admin-154': NOT_INSTALLED,
  'console-member-053': NOT_INSTALLED,
  'console-admin-021': 'logins of the replay itself are on record',
  'console-admin-078': 'password hashes leave the server in no answer',
  'console-writes-011': 'a user who is not there is 404, not 500; the console takes either for a free name',
  'console-writes-211': 'the user is gone by then: clearing up takes less time here',
  'console-member-065': NOT_A_MEMBER,
  'console-plain-user-023': NOT_A_MEMBER,
  'console-plain-user-025': NOT_A_MEMBER,
}

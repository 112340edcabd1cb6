/** Where answers to the web console differ from the recorded ones on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NOT_A_MEMBER =
  'a workspace is for its members: any logged-in user could read every workspace and project (W4)'

export const MEANT_CONSOLE: Meant = {
  'console-member-065': NOT_A_MEMBER,
  'console-plain-user-023': NOT_A_MEMBER,
  'console-plain-user-025': NOT_A_MEMBER,
}

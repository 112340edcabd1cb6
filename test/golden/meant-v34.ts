/** Where answers differ from the recordings of v3.4 on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

const NO_NEW_SESSION =
  'a disabled user gets no new session for an old refresh token, and no review calls it valid'
const NO_ECHO = 'the error says what a password needs, and does not show it on a screen or in a log'

export const MEANT_34: Meant = {
  'iam-3.4-write-008': NO_NEW_SESSION,
  'iam-3.4-write-012': NO_NEW_SESSION,
  'iam-3.4-write-026': NO_ECHO,
  'iam-3.4-write-027': NO_ECHO,
  'iam-3.4-write-028': NO_ECHO,
  'iam-3.4-write-030': NO_ECHO,
  'iam-3.4-write-031':
    'hashed at once, so that no reader of the API sees the password; hence the time in the annotations',
}

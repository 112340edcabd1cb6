/**
 * Where an answer differs from the recording on purpose, and why ours is better. Keyed by the id of the recording.
 */
import { type Meant } from './replay.js'

const NO_HASH = 'password hashes leave the server in no answer'

export const MEANT: Meant = {
  'resources-v1alpha3-kinds-056': 'a kind that is not installed is an empty list here too, not an error',
  'resources-v1alpha3-kinds-090':
    'finished pods hold no resources: one node alone counts as it does in the list',
  'resources-v1alpha3-kinds-098': NO_HASH,
  'resources-v1alpha3-kinds-101': 'the error names the kind that was asked for',
  'resources-v1alpha3-filters-106': NO_HASH,
}

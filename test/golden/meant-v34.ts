/** Where answers differ from the recordings of v3.4 on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

export const MEANT_34: Meant = {}

/** Where answers to the web console differ from the recorded ones on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

export const MEANT_CONSOLE: Meant = {}

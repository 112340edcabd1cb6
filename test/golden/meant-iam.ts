/** Where identity and tenancy differ from the recordings on purpose; keyed by the id of the recording. */
import { type Meant } from './replay.js'

export const MEANT: Meant = {}

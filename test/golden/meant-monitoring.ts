/** Recorded answers of monitoring and metering that are answered differently on purpose. */
import { type Meant } from './replay.js'

export const MEANT_MONITORING: Meant = {
  'monitoring-051': 'the time in the answer is that of the question',
  'monitoring-down-012': 'the time in the answer is that of the question',
}

/** How far queries about records and consumption reach, from who asks. Stores of such data take these scopes. */
export { type PlaceFilters } from './candidates.js'
export {
  METERING_LEVELS,
  type MeteringLevel,
  MeteringNarrowing,
  type MeteringQuestion,
  type MeteringScope,
} from './metering.js'
export {
  admits,
  isEmpty,
  type Recorded,
  RecordNarrowing,
  type RecordNarrowingDeps,
  type RecordScope,
  type Since,
} from './records.js'

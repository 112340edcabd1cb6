/** Label selectors: the text form of queries and the object form of specs. */
export { parseSelector } from './parse.js'
export { type Operator, type Requirement, Selector } from './selector.js'
export {
  formatSelector,
  type LabelSelector,
  type LabelSelectorRequirement,
  selectorFromLabelSelector,
} from './labelselector.js'

import { Selector } from './selector.js'

/** Matches every object. */
export const EVERYTHING = new Selector([])

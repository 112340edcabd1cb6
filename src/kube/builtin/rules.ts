/**
 * What one kind adds to the schema: the hand-written part of its strategy.
 *
 * All members are optional; a kind without rules is checked by the schema only. Which kinds those are is
 * listed in doc.md.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { type RequestContext, type ScalePaths, type Strategy } from '../registry/strategy.js'

export interface KindRules {
  defaults?: (object: KubeObject) => void
  prepareForCreate?: (object: KubeObject, context: RequestContext) => void
  prepareForUpdate?: (object: KubeObject, previous: Readonly<KubeObject>, context: RequestContext) => void
  /** Of every state, new or changed. */
  validate?: (object: KubeObject, context: RequestContext) => FieldFault[]
  /** Of a change alone; `validate` has run. */
  validateUpdate?: (
    object: KubeObject,
    previous: Readonly<KubeObject>,
    context: RequestContext,
  ) => FieldFault[]
  /** Of a change only what `validateUpdate` finds: where most of a kind cannot change, the original looks no further. */
  changesOnly?: boolean
  afterDelete?: (object: Readonly<KubeObject>) => void
  gracePeriodSeconds?: (object: Readonly<KubeObject>) => number | undefined
  nameRule?: Strategy['nameRule']
  hasGeneration?: boolean
  allowCreateOnUpdate?: boolean
  /** False where a PUT needs a resourceVersion. */
  allowUnconditionalUpdate?: boolean
  fieldSelectors?: Strategy['fieldSelectors']
  scale?: ScalePaths
}

/** Structural schemas of custom resources: compiled once per CRD version, then run on every object. */
import { type FieldFault } from '../../errors/index.js'
import { type KubeObject } from '../../meta/types.js'
import { type TypeSchema } from '../typed.js'
import { invalidValue } from '../../errors/faults.js'
import { compileRules } from '../cel/rules.js'
import { compileDefaults } from './defaults.js'
import { compileExtensions } from './lists.js'
import { prune } from './prune.js'
import { resourceType } from './typed.js'
import { type JsonSchema } from './types.js'
import { compileValidator } from './validate.js'

export { checkStructural } from './check.js'
export { type JsonSchema } from './types.js'

const NOT_CHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

export interface CompiledSchema {
  /** Drops unknown fields in place. @returns their paths */
  readonly prune: (object: KubeObject) => string[]
  /** Fills defaults in place, on write and on read. */
  readonly applyDefaults: (object: KubeObject) => void
  /** All faults of the whole object but its metadata; with what was there before, those of the change as well. */
  readonly validate: (object: Readonly<KubeObject>, previous?: Readonly<KubeObject>) => FieldFault[]
  /** For server-side apply. */
  readonly type: TypeSchema
}

/**
 * @param schema as checked by `checkStructural`; undefined accepts everything
 * @param preserveUnknownFields the CRD-wide switch of v1beta1
 * @throws SyntaxError for a pattern that `checkStructural` would have refused
 */
export function compileSchema(schema: JsonSchema | undefined, preserveUnknownFields = false): CompiledSchema {
  const fill = compileDefaults(schema)
  const check = schema && compileValidator(schema)
  const extensions = compileExtensions(schema)
  const rules = compileRules(schema)
  const preserving = preserveUnknownFields || schema === undefined
  const root: JsonSchema = {
    ...schema,
    ...(preserving && { 'x-kubernetes-preserve-unknown-fields': true }),
  }
  return {
    prune: (object) => prune(object, root),
    applyDefaults: (object) => fill?.(object),
    validate: (object, previous) => {
      const faults: FieldFault[] = []
      check?.(object, '', faults)
      extensions?.(object, '', faults)
      // Rules may count on the shape that the schema promises.
      if (rules && faults.length > 0) faults.push(invalidValue('<nil>', null, NOT_CHECKED))
      else rules?.(object, previous, faults)
      return faults
    },
    type: resourceType(preserving ? root : schema),
  }
}

/** What the routes of alerting.kubesphere.io/v2alpha1 are given. */
import { type BuiltinRules } from '../../../alerting/builtinrules.js'
import { type CustomRules } from '../../../alerting/customrules.js'
import { type RuleWrites } from '../../../alerting/rulewrites.js'

export interface AlertingDeps {
  /** Whether any backend of rules is configured. */
  enabled: boolean
  custom: CustomRules
  builtin: BuiltinRules
  writes: RuleWrites
}

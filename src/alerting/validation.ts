/** What is wrong with a rule that a client has posted, in the words that clients of the original know. */
import { checkRule } from '../integrations/prometheus/promql/check.js'
import { confine } from '../integrations/prometheus/promql/confine.js'
import { PromqlError } from '../integrations/prometheus/promql/errors.js'
import { print } from '../integrations/prometheus/promql/print.js'
import { equal } from '../integrations/prometheus/promql/text.js'
import { durationMs } from '../integrations/prometheus/durations.js'
import { templateFault, type TemplateRules } from './templates.js'
import { type PostedRule, type Texts } from './types.js'

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const MUST_MATCH = 'The name must match [a-zA-Z_][a-zA-Z0-9_]*'
/** A function of templates that asks the ruler for anything, of whichever project. */
const OF_PROJECTS: TemplateRules = {
  refused: { query: 'rules of a project see the metrics of the project alone' },
}

/** @param namespace undefined for a rule of the cluster */
export function ruleFaults(rule: PostedRule, namespace: string | undefined): string[] {
  const { name, query, duration, labels, annotations } = rule
  const faults: string[] = []
  if (name === '') faults.push('name can not be empty')
  else if (!NAME.test(name)) faults.push(`rule name must match regular expression ${NAME.source}`)
  if (query === '') faults.push('query can not be empty')
  else faults.push(...queryFaults(query, namespace))
  if (duration !== '' && durationMs(duration) === undefined)
    faults.push(`duration is invalid: ${duration}: not a valid duration string: ${JSON.stringify(duration)}`)
  const templates = namespace === undefined ? {} : OF_PROJECTS
  for (const [label, value] of Object.entries(labels)) {
    if (!LABEL.test(label) || label.startsWith('__'))
      faults.push(
        `label name (${label}) is not valid. ${MUST_MATCH} and has not the __ prefix (label names with this prefix are for internal use)`,
      )
    if (!isWellFormed(value)) faults.push(`label value (${value}) is not valid UTF-8`)
  }
  const elsewhere = labels['namespace']
  if (namespace !== undefined && elsewhere !== undefined && elsewhere !== namespace)
    faults.push(`label namespace can only be ${namespace} here`)
  // Groups of the cluster and of all clusters know their alerts by it.
  const level = labels['rule_level']
  if (namespace !== undefined && level !== undefined && level !== 'namespace')
    faults.push('label rule_level can only be namespace here')
  for (const annotation of Object.keys(annotations))
    if (!LABEL.test(annotation)) faults.push(`annotation name (${annotation}) is not valid. ${MUST_MATCH}`)
  faults.push(
    ...templateFaults('label', labels, templates),
    ...templateFaults('annotation', annotations, templates),
  )
  return faults
}

/** One alone, several as a list. */
export function faultsText(faults: readonly string[]): string {
  return faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`
}

/** The expression to store. @throws PromqlError */
export function expressionOf(query: string, namespace: string | undefined): string {
  return namespace === undefined ? query : confine(print(query), equal('namespace', namespace))
}

function queryFaults(query: string, namespace: string | undefined): string[] {
  try {
    checkRule(query)
    expressionOf(query, namespace)
    return []
  } catch (error) {
    if (!(error instanceof PromqlError)) throw error
    return [`query is invalid: ${query}: ${error.message}`]
  }
}

function templateFaults(what: string, texts: Readonly<Texts>, rules: TemplateRules): string[] {
  return Object.entries(texts).flatMap(([name, text]) => {
    const fault = templateFault(text, rules)
    return fault === undefined ? [] : [`${what} ${name} is not a valid template: ${fault}`]
  })
}

/** A text with half a character in it is no UTF-8. */
function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)
}

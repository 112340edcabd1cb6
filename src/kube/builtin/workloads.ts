/** What the controllers of pods have in common: selectors that must match templates, nothing that ends pods. */
import {
  type Faults,
  forbidden,
  goMap,
  goSelector,
  invalidValue,
  isReadable,
  selects,
  unsupported,
} from './faults.js'
import { podTemplateFaults } from './pods/validation.js'
import { type LabelSelector, type PodTemplateSpec } from './types.js'

/** An empty selector picks all pods; a missing one none. */
export function templateLabelFaults(
  field: string,
  template: PodTemplateSpec,
  selector: LabelSelector | null,
): Faults {
  const { labels } = template.metadata
  // What is no selector at all picks nothing and is told of by itself.
  return !isReadable(selector) || selects(selector, labels)
    ? []
    : [invalidValue(`${field}.metadata.labels`, goMap(labels), '`selector` does not match template `labels`')]
}

/** A selector that cannot be read. */
export function unreadableSelector(field: string, selector: LabelSelector | null, why: string): Faults {
  return isReadable(selector) ? [] : [invalidValue(field, goSelector(selector), why)]
}

/** Pods that are replaced when they end must restart always, and may have no deadline. */
export function lastingFaults(field: string, { spec }: PodTemplateSpec, kind: string): Faults {
  const faults: Faults = []
  if (spec.restartPolicy !== 'Always') {
    faults.push(unsupported(`${field}.spec.restartPolicy`, spec.restartPolicy ?? '', ['Always']))
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`
    faults.push(forbidden(`${field}.spec.activeDeadlineSeconds`, why))
  }
  return faults
}

/** The template of a Deployment or ReplicaSet. */
export function replicatedTemplateFaults(
  field: string,
  template: PodTemplateSpec,
  selector: LabelSelector | null,
): Faults {
  return [
    ...unreadableSelector(field.replace(/\.template$/, '.selector'), selector, 'invalid label selector'),
    ...templateLabelFaults(field, template, selector),
    ...podTemplateFaults(field, template),
    ...lastingFaults(field, template, 'ReplicaSet'),
  ]
}

const PERCENT = /^[0-9]+%$/
const PERCENT_TEXT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

/** A count or a percentage, neither negative. */
export function countOrPercent(field: string, value: number | string | undefined): Faults {
  if (value === undefined) return []
  if (typeof value === 'string') {
    return PERCENT.test(value) ? [] : [invalidValue(field, value, PERCENT_TEXT)]
  }
  return value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : []
}

export function atMostAll(field: string, value: number | string | undefined): Faults {
  return typeof value === 'string' && PERCENT.test(value) && Number.parseInt(value, 10) > 100
    ? [invalidValue(field, value, 'must not be greater than 100%')]
    : []
}

/** Whether a count or percentage is nothing, as one is that cannot be read. */
export function isNone(value: number | string | undefined): boolean {
  if (typeof value === 'string' && !PERCENT.test(value)) return true
  return value === undefined || Number.parseInt(String(value), 10) === 0
}

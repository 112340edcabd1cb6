/** batch/v1 Job, and the job template of a CronJob. */
import { type KubeObject, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import {
  type Faults,
  goMap,
  goSelector,
  immutable,
  invalidValue,
  isReadable,
  labelSelector,
  nonNegative,
  required,
  selects,
  unsupported,
} from '../faults.js'
import { labelValueFaults } from '../../../apimachinery/meta/names.js'
import { defaultPodTemplate } from '../pods/defaults.js'
import { podTemplateFaults } from '../pods/validation.js'
import { templateLabelFaults } from '../workloads.js'
import { type KindRules } from '../rules.js'
import { type LabelSelector, type PodTemplateSpec } from '../types.js'
import { adoptLabels } from '../apps/replicaset.js'

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  backoffLimit?: number
  selector?: LabelSelector
  manualSelector?: boolean
  template: PodTemplateSpec
  ttlSecondsAfterFinished?: number
}

interface Job extends KubeObject {
  spec: JobSpec
}

const view = (object: object) => object as Job

export const job: KindRules = {
  defaults(object) {
    const { spec } = view(object)
    // Neither given: one pod, once. Only parallelism given: a work queue.
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
    spec.parallelism ??= 1
    spec.backoffLimit ??= 6
    defaultPodTemplate(spec.template)
    adoptLabels(object, spec.template)
  },
  prepareForCreate(object) {
    const { metadata, spec } = view(object)
    if (!spec.manualSelector) selectByUid(metadata, spec)
    // The original finds its labels when it reads the job back, after the faults of a bad name were found.
    if (labelValueFaults(metadata.name ?? '').length === 0) adoptLabels(object, spec.template)
  },
  validate: (object) => jobFaults(view(object)),
  validateUpdate(object, previous) {
    const [after, before] = [view(object).spec, view(previous).spec]
    return [
      ...immutable('spec.completions', after.completions, before.completions),
      ...immutable('spec.selector', after.selector, before.selector),
      ...immutable('spec.template', after.template, before.template),
    ]
  },
  fieldSelectors: {
    'status.successful': (object) =>
      String((object as { status?: { succeeded?: number } }).status?.succeeded ?? 0),
  },
}

const UID_LABEL = 'controller-uid'

/** The job's own uid tells its pods from those of any other. */
function selectByUid({ name = '', uid = '' }: ObjectMeta, spec: JobSpec): void {
  const { metadata } = spec.template
  metadata.labels = {
    ...metadata.labels,
    'job-name': metadata.labels?.['job-name'] ?? name,
    [UID_LABEL]: uid,
  }
  spec.selector = {
    ...spec.selector,
    matchLabels: { ...spec.selector?.matchLabels, [UID_LABEL]: uid },
  }
}

function jobFaults({ metadata, spec }: Job): Faults {
  const faults = jobSpecFaults('spec', spec)
  if (!spec.selector) faults.push(required('spec.selector'))
  else faults.push(...labelSelector('spec.selector', spec.selector))
  return [
    ...generatedFaults(metadata, spec),
    ...faults,
    ...templateLabelFaults('spec.template', spec.template, spec.selector ?? null),
  ]
}

/** A selector that the server makes picks the pods of this job by its uid and name, and asks for nothing else. */
function generatedFaults({ name = '', uid = '' }: ObjectMeta, spec: JobSpec): Faults {
  if (spec.manualSelector || !spec.selector) return []
  const expected = { [UID_LABEL]: uid, 'job-name': name }
  const given = spec.template.metadata.labels
  const faults = Object.entries(expected).flatMap(([key, value]) => {
    const at = `spec.template.metadata.labels[${key}]`
    if (given?.[key] === value) return []
    const why = `must be '${value}'`
    return [given?.[key] === undefined ? required(at, why) : invalidValue(at, goMap(given), why)]
  })
  if (isReadable(spec.selector) && !selects(spec.selector, expected)) {
    const why = '`selector` not auto-generated'
    faults.push(invalidValue('spec.selector', goSelector(spec.selector), why))
  }
  return faults
}

export function jobSpecFaults(field: string, spec: JobSpec): Faults {
  const faults = [
    ...nonNegative(`${field}.parallelism`, spec.parallelism),
    ...nonNegative(`${field}.completions`, spec.completions),
    ...nonNegative(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...nonNegative(`${field}.backoffLimit`, spec.backoffLimit),
    ...nonNegative(`${field}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished),
    ...podTemplateFaults(`${field}.template`, spec.template),
  ]
  const policy = spec.template.spec.restartPolicy
  const at = `${field}.template.spec.restartPolicy`
  // The default of a pod is no choice for a job: it has to be made.
  if (policy === 'Always') faults.push(required(at, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') {
    faults.push(unsupported(at, policy ?? '', ['OnFailure', 'Never']))
  }
  return faults
}

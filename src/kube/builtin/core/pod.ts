/** v1 Pod and PodTemplate. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Faults, forbidden, same } from '../faults.js'
import { containersOf, defaultPod, defaultPodTemplate } from '../pods/defaults.js'
import { qosClassOf } from '../pods/resources.js'
import { podSpecFaults, podTemplateFaults } from '../pods/validation.js'
import { type KindRules } from '../rules.js'
import {
  type Pod,
  type PodSpec,
  type PodTemplateSpec,
  type SeccompProfile,
  type Toleration,
} from '../types.js'

const view = (object: object) => object as Pod

/** Fields of a bound pod are what field selectors pick by; all pods have them, be it as "". */
function picked(read: (pod: Pod) => string | undefined): (object: object) => string {
  return (object) => read(view(object)) ?? ''
}

export const pod: KindRules = {
  defaults: (object) => defaultPod(view(object)),
  prepareForCreate(object) {
    shareSeccomp(view(object))
    view(object).status = { phase: 'Pending', qosClass: qosClassOf(view(object).spec) }
  },
  // A write of the status leaves the spec as it is stored; a binding sets its node alone.
  validate: (object, context) =>
    context.subresource === 'status' ? [] : podSpecFaults('spec', view(object).spec),
  validateUpdate: (object, previous, context) =>
    context.subresource === 'status' || context.subresource === 'binding'
      ? []
      : updateFaults(view(object), view(previous)),
  gracePeriodSeconds(object) {
    const { spec, status } = view(object)
    if (!spec.nodeName || status.phase === 'Failed' || status.phase === 'Succeeded') return undefined
    return spec.terminationGracePeriodSeconds ?? 30
  },
  fieldSelectors: {
    'spec.nodeName': picked(({ spec }) => spec.nodeName),
    'spec.restartPolicy': picked(({ spec }) => spec.restartPolicy),
    'spec.schedulerName': picked(({ spec }) => spec.schedulerName),
    'spec.serviceAccountName': picked(({ spec }) => spec.serviceAccountName),
    'status.phase': picked(({ status }) => status.phase),
    'status.podIP': picked(({ status }) => status.podIP),
    'status.podIPs': picked(({ status }) => status.podIPs?.map(({ ip }) => ip).join(',')),
    'status.nominatedNodeName': picked(({ status }) => status.nominatedNodeName),
  },
}

const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const CONTAINER_SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'

/** 1.20 keeps profiles in fields and in the annotations that came before them: what one says, the other says too. */
function shareSeccomp({ metadata, spec }: Pod): void {
  const annotations = metadata.annotations ?? {}
  const share = (
    holder: { seccompProfile?: SeccompProfile } | undefined,
    key: string,
    make: () => typeof holder,
  ): void => {
    const annotation = seccompAnnotation(holder?.seccompProfile)
    if (annotation !== undefined) annotations[key] ??= annotation
    else if (holder?.seccompProfile === undefined && annotations[key] !== undefined) {
      const profile = seccompField(annotations[key])
      const into = profile && (holder ?? make())
      if (into) into.seccompProfile = profile
    }
  }
  share(spec.securityContext, POD_SECCOMP, () => (spec.securityContext = {}))
  for (const container of containersOf(spec)) {
    share(
      container.securityContext,
      CONTAINER_SECCOMP + container.name,
      () => (container.securityContext = {}),
    )
  }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
}

function seccompAnnotation(profile: SeccompProfile | undefined): string | undefined {
  switch (profile?.type) {
    case 'Unconfined':
      return 'unconfined'
    case 'RuntimeDefault':
      return 'runtime/default'
    case 'Localhost':
      return profile.localhostProfile === undefined ? undefined : `localhost/${profile.localhostProfile}`
    default:
      return undefined
  }
}

function seccompField(annotation: string): SeccompProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default' || annotation === 'docker/default') return { type: 'RuntimeDefault' }
  const [, file] = /^localhost\/(.+)$/.exec(annotation) ?? []
  return file === undefined ? undefined : { type: 'Localhost', localhostProfile: file }
}

/** Images may change, the deadline may come nearer, tolerations may be added; nothing else. */
function updateFaults(after: Pod, before: Pod): Faults {
  const faults: Faults = []
  const [next, last] = [movable(after.spec), movable(before.spec)]
  for (const part of ['containers', 'initContainers'] as const) {
    if (after.spec[part]?.length === before.spec[part]?.length) continue
    return [forbidden(`spec.${part}`, 'pod updates may not add or remove containers')]
  }
  const [was, is] = [before.spec.activeDeadlineSeconds, after.spec.activeDeadlineSeconds]
  if (was !== undefined && (is === undefined || is > was)) {
    faults.push(forbidden('spec.activeDeadlineSeconds', 'must be less than or equal to previous value'))
  }
  const kept = (before.spec.tolerations ?? []).every((toleration) =>
    (after.spec.tolerations ?? []).some((other) => same(lasting(toleration), lasting(other))),
  )
  if (!kept) {
    faults.push(
      forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    )
  }
  if (!same(next, last)) {
    const why =
      'pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations)'
    faults.push(forbidden('spec', why))
  }
  return faults
}

/** For how long something is tolerated may change. */
function lasting({ tolerationSeconds: _, ...toleration }: Toleration): unknown {
  return toleration
}

/** The spec without what an update may change. */
function movable(spec: PodSpec): unknown {
  const imageless = (list: PodSpec['containers'] | undefined) => list?.map((c) => ({ ...c, image: '' }))
  return {
    ...spec,
    containers: imageless(spec.containers),
    initContainers: imageless(spec.initContainers),
    activeDeadlineSeconds: undefined,
    tolerations: undefined,
  }
}

interface PodTemplate extends KubeObject {
  template: PodTemplateSpec
}

export const podTemplate: KindRules = {
  defaults: (object) => defaultPodTemplate((object as PodTemplate).template),
  validate: (object) => podTemplateFaults('template', (object as PodTemplate).template),
}

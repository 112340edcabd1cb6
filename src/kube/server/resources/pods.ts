/**
 * What is posted to pods: a binding puts one on a node, an eviction removes one as far as disruption
 * budgets allow.
 */
import {
  badRequest,
  conflict,
  internal,
  invalid,
  noSuchResource,
  StatusError,
} from '../../../apimachinery/errors/index.js'
import { required, unsupportedValue } from '../../../apimachinery/errors/faults.js'
import { type LabelSelector, selectorFromLabelSelector } from '../../../apimachinery/labels/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { wireTime } from '../../registry/clock.js'
import { deleteOptions } from '../../registry/deleteoptions.js'
import { parse, served } from '../../registry/served.js'
import {
  type Catalogue,
  type RequestContext,
  type ResourceDefinition,
  type SubresourceDefinition,
} from '../../registry/strategy.js'
import { type Registry } from '../../registry/store.js'
import { type WriteOptions } from '../../registry/writeoptions.js'

type Create = NonNullable<SubresourceDefinition['create']>

interface Condition {
  type: string
  status: string
}

interface Pod extends KubeObject {
  spec: { nodeName?: string }
  status?: { phase?: string; conditions?: Condition[] }
}

interface Budget extends KubeObject {
  spec?: { selector?: LabelSelector }
  status?: {
    observedGeneration?: number
    disruptionsAllowed?: number
    desiredHealthy?: number
    currentHealthy?: number
    disruptedPods?: Record<string, string>
  }
}

function success(): KubeObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

function optionsOf(context: RequestContext, subresource: string): WriteOptions {
  return {
    user: context.user,
    dryRun: context.dryRun,
    // As on the genuine server, nobody owns what a binding or an eviction sets.
    fieldManager: '',
    fieldValidation: 'Ignore',
    subresource,
    warn: (text) => context.warn(text),
    caller: context.caller,
  }
}

export interface PodActions {
  bind: Create
  evict: Create
}

export function podActions(registry: Registry, catalogue: Catalogue): PodActions {
  const definitionOf = (group: string, resource: string): ResourceDefinition => {
    for (const version of ['v1', 'v1beta1']) {
      const definition = catalogue.get(group, version, resource)
      if (definition) return definition
    }
    throw noSuchResource()
  }

  const bind: Create = async (_parent, body, { namespace, name }, context) => {
    const { target } = body as { target?: { kind?: string; name?: string } }
    const faults = [
      ...(target?.kind && target.kind !== 'Node'
        ? [unsupportedValue('target.kind', target.kind, ['Node', '<empty>'])]
        : []),
      ...(target?.name ? [] : [required('target.name')]),
    ]
    if (faults.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, faults)
    const refuse = (why: string): Error => conflict({ group: '', resource: 'pods/binding' }, name, why)
    await registry.update(
      definitionOf('', 'pods'),
      namespace,
      name,
      (current) => {
        const pod = current as Pod
        const { nodeName } = pod.spec
        if (pod.metadata.deletionTimestamp)
          throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
        if (nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(nodeName)}`)
        if (target?.name) pod.spec.nodeName = target.name
        const { annotations } = body.metadata
        if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations }
        const scheduled = {
          type: 'PodScheduled',
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: wireTime(context.now.getTime()),
        }
        const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
        pod.status = { ...pod.status, conditions: [...others, scheduled] }
        return pod
      },
      optionsOf(context, 'binding'),
    )
    return success()
  }

  const evict: Create = async (parent, body, { namespace, name }, context) => {
    if (body.metadata.name && body.metadata.name !== name) {
      throw badRequest('name in URL does not match name in Eviction object')
    }
    const pod = parent as Pod
    const phase = pod.status?.phase ?? 'Pending'
    const counts = phase !== 'Pending' && phase !== 'Succeeded' && phase !== 'Failed'
    if (counts && !pod.metadata.deletionTimestamp) await useBudget(namespace, pod, context)
    const deletion = deleteOptions((body.deleteOptions ?? {}) as Record<string, unknown>)
    await registry.delete(definitionOf('', 'pods'), namespace, name, deletion, optionsOf(context, ''))
    return success()
  }

  /** Takes one disruption from the budget of the pod, if it has one. @throws StatusError 429, 500 */
  async function useBudget(namespace: string, pod: Pod, context: RequestContext): Promise<void> {
    const definition = definitionOf('policy', 'poddisruptionbudgets')
    const entries = registry.deps.storage.list(served(definition).keysPrefix(namespace)).items
    const budgets = entries
      .map(({ value }) => parse(value) as Budget)
      .filter(({ spec }) => selectorFromLabelSelector(spec?.selector).matches(pod.metadata.labels))
    const [budget] = budgets
    if (!budget) return
    if (budgets.length > 1) {
      throw internal(
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      )
    }
    await registry.update(
      definition,
      namespace,
      budget.metadata.name ?? '',
      (current) => disrupted(current, pod.metadata.name ?? '', context.now.getTime()),
      optionsOf(context, 'status'),
    )
  }

  return { bind, evict }
}

function disrupted(budget: Budget, podName: string, now: number): Budget {
  const { name = '', generation = 0 } = budget.metadata
  const {
    observedGeneration = 0,
    disruptionsAllowed = 0,
    desiredHealthy = 0,
    currentHealthy = 0,
  } = budget.status ?? {}
  if (observedGeneration < generation) {
    throw overBudget(`The disruption budget ${name} is still being processed by the server.`)
  }
  if (disruptionsAllowed <= 0) {
    throw overBudget(
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    )
  }
  budget.status = {
    ...budget.status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...budget.status?.disruptedPods, [podName]: wireTime(now) },
  }
  return budget
}

function overBudget(why: string): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget', message: why }] },
  })
}

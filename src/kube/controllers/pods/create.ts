/** Pods made from templates, and several at once. */
import { isForbidden, isInvalid, StatusError } from '../../../apimachinery/errors/index.js'
import { controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject, type ObjectMeta } from '../../../apimachinery/meta/types.js'
import { type EventRecorder } from '../../../controller/index.js'
import { type Pod, type PodTemplateSpec } from '../../builtin/types.js'
import { type Stored } from '../stored.js'
import { isEnding } from './state.js'

/** @param metadata more of it: a fixed `name`, labels */
export function podOf(
  template: Readonly<PodTemplateSpec>,
  owner: Readonly<KubeObject>,
  metadata: ObjectMeta,
): Pod {
  const { namespace = '', name = '' } = owner.metadata
  const { labels, annotations, finalizers } = template.metadata
  const given = structuredClone({
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
  })
  return {
    metadata: {
      ...(metadata.name === undefined && { generateName: `${name}-` }),
      ...given,
      ...metadata,
      namespace,
      labels: { ...given.labels, ...metadata.labels },
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
    status: {},
  }
}

export interface PodWork {
  pods: Stored<Pod>
  owner: Readonly<KubeObject>
  recorder: EventRecorder
  signal: AbortSignal
}

/** @throws StatusError, told of by an event unless the namespace is going */
export async function createPod({ pods, owner, recorder, signal }: PodWork, pod: Pod): Promise<Pod> {
  try {
    const created = await pods.create(pod, signal)
    recorder.event(
      subjectOf(owner),
      'Normal',
      'SuccessfulCreate',
      `Created pod: ${created.metadata.name ?? ''}`,
    )
    return created
  } catch (error) {
    if (error instanceof StatusError && !isTerminating(error)) {
      recorder.event(subjectOf(owner), 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    }
    throw error
  }
}

export async function deletePod(
  { pods, owner, recorder, signal }: PodWork,
  pod: Readonly<Pod>,
): Promise<void> {
  if (isEnding(pod)) return
  await pods.delete(pod, {}, signal)
  recorder.event(subjectOf(owner), 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name ?? ''}`)
}

/** The cause that a namespace gives while it goes: nothing can be done about it, and nobody need know. */
export function isTerminating(error: unknown): boolean {
  return isForbidden(error) && error.message.includes('because it is being terminated')
}

/** What no further try can mend before the owner or its surroundings change. */
export function isRefusal(error: unknown): error is StatusError {
  return isForbidden(error) || isInvalid(error)
}

export function subjectOf({ apiVersion = '', kind = '', metadata }: Readonly<KubeObject>): {
  apiVersion: string
  kind: string
  metadata: Readonly<ObjectMeta>
} {
  return { apiVersion, kind, metadata }
}

/** Of what one pass does at most: the next comes with the watch. */
export const BURST = 500

/**
 * Does something `count` times: one first, then twice as many at a time, until one fails. What a quota refuses is so
 * tried once and not a hundred times.
 *
 * @returns how many worked, and why one did not
 */
export async function inBatches(
  count: number,
  act: (index: number) => Promise<unknown>,
): Promise<{ done: number; failure?: Error }> {
  let done = 0
  for (let size = 1; done < count; size *= 2) {
    const from = done
    const results = await Promise.allSettled(
      Array.from({ length: Math.min(size, count - from) }, (_, i) => act(from + i)),
    )
    const failed = results.find((result) => result.status === 'rejected')
    done += results.filter(({ status }) => status === 'fulfilled').length
    if (failed) return { done, failure: errorOf(failed.reason) }
  }
  return { done }
}

export function errorOf(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(String(failure))
}

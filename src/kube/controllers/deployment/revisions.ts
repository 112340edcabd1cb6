/** Which ReplicaSet carries which state of a Deployment's template, and the revision numbers that rollbacks name. */
import { equal } from '../../../apimachinery/json/value.js'
import { isAlreadyExists } from '../../../apimachinery/errors/index.js'
import { controllerOf, controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type PodTemplateSpec } from '../../builtin/types.js'
import { createdAt } from '../pods/state.js'
import { type Stored } from '../stored.js'
import { templateHash } from '../templatehash.js'
import {
  type Deployment,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  maxSurge,
  type ReplicaSet,
  REVISION,
  REVISION_HISTORY,
  TEMPLATE_HASH,
  wantedReplicas,
} from './types.js'

export interface Sets {
  /** That of the present template. */
  current: Readonly<ReplicaSet> | undefined
  old: Readonly<ReplicaSet>[]
  all: Readonly<ReplicaSet>[]
}

export function byAge(a: Readonly<ReplicaSet>, b: Readonly<ReplicaSet>): number {
  return createdAt(a) - createdAt(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)
}

export function sortOut(deployment: Readonly<Deployment>, owned: readonly Readonly<ReplicaSet>[]): Sets {
  const all = [...owned].sort(byAge)
  // The oldest of several: whoever picked it before picks it again.
  const current = all.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template))
  return { current, old: all.filter((set) => set !== current), all }
}

function sameTemplate(one: Readonly<PodTemplateSpec>, other: Readonly<PodTemplateSpec>): boolean {
  return equal(unhashed(one), unhashed(other))
}

function unhashed({ metadata, spec }: Readonly<PodTemplateSpec>): unknown {
  const { [TEMPLATE_HASH]: _hash, ...labels } = metadata.labels ?? {}
  const { annotations = {} } = metadata
  return { labels, annotations, spec }
}

/** A 64-bit number; 0 for what is none. */
const revisionIn = (annotations: Readonly<Record<string, string>> = {}): bigint => {
  const text = annotations[REVISION] ?? ''
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n
}

export const revisionOf = ({ metadata }: Readonly<ReplicaSet>): bigint => revisionIn(metadata.annotations)

/** Annotations that tell of one object and mean nothing on another. */
const OWN = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])

/** What the ReplicaSet of the present template is annotated with. */
export function currentAnnotations(
  deployment: Readonly<Deployment>,
  set: { metadata: { annotations?: Record<string, string> } },
  revision: bigint,
): Record<string, string> {
  const annotations = { ...set.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN.has(key)) annotations[key] = value
  }
  const known = revisionIn(annotations)
  if (known < revision) {
    annotations[REVISION] = String(revision)
    if (known > 0n) {
      const history = annotations[REVISION_HISTORY]
      annotations[REVISION_HISTORY] = history ? `${history},${known}` : String(known)
    }
  }
  return annotations
}

export function replicaAnnotations(deployment: Readonly<Deployment>): Record<string, string> {
  const replicas = wantedReplicas(deployment)
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge(deployment)) }
}

export const nextRevision = (old: readonly Readonly<ReplicaSet>[]): bigint =>
  old.map(revisionOf).reduce((most, each) => (each > most ? each : most), 0n) + 1n

/**
 * Makes the ReplicaSet of the present template.
 *
 * @returns undefined when the name is another template's: the next try needs one more collision
 */
export async function createCurrent(
  sets: Stored<ReplicaSet>,
  deployment: Readonly<Deployment>,
  replicas: number,
  revision: bigint,
  signal: AbortSignal,
): Promise<Readonly<ReplicaSet> | undefined> {
  const { spec, metadata } = deployment
  const { name = '', namespace = '' } = metadata
  const template = structuredClone(spec.template)
  const hash = templateHash(unhashed(template), deployment.status.collisionCount)
  const labels = { ...template.metadata.labels, [TEMPLATE_HASH]: hash }
  template.metadata.labels = labels
  const annotations = {
    ...currentAnnotations(deployment, { metadata: {} }, revision),
    ...replicaAnnotations(deployment),
  }
  const selector = structuredClone(spec.selector)
  try {
    return await sets.create(
      {
        metadata: {
          name: `${name}-${hash}`,
          namespace,
          labels,
          annotations,
          ownerReferences: [controllerReference(deployment)],
        },
        spec: {
          replicas,
          ...(spec.minReadySeconds && { minReadySeconds: spec.minReadySeconds }),
          selector: { ...selector, matchLabels: { ...selector?.matchLabels, [TEMPLATE_HASH]: hash } },
          template,
        },
        status: {},
      },
      signal,
    )
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = sets.get(namespace, `${name}-${hash}`)
    const isOurs =
      known &&
      controllerOf(known)?.uid === metadata.uid &&
      sameTemplate(known.spec.template, deployment.spec.template)
    return isOurs ? known : undefined
  }
}

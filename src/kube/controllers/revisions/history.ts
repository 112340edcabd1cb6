/** ControllerRevisions: the states a StatefulSet's or DaemonSet's template has had, so that pods can be told apart. */
import { equal } from '../../../apimachinery/json/value.js'
import { isAlreadyExists } from '../../../apimachinery/errors/index.js'
import { controllerReference } from '../../../apimachinery/meta/accessors.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type Selector } from '../../../apimachinery/labels/index.js'
import { type PodTemplateSpec } from '../../builtin/types.js'
import { claim } from '../pods/claim.js'
import { type Stored } from '../stored.js'
import { templateHash } from '../templatehash.js'

export interface ControllerRevision extends KubeObject {
  data: { spec: { template: PodTemplateSpec } }
  revision: number
}

export const REVISION_HASH = 'controller-revision-hash'

interface Owner extends KubeObject {
  spec: { template: PodTemplateSpec; revisionHistoryLimit?: number }
  status: { collisionCount?: number }
}

export interface History {
  /** The oldest first. */
  all: Readonly<ControllerRevision>[]
  /** That of the present template. */
  update: Readonly<ControllerRevision>
}

/** @returns undefined when the name of the next revision is taken: one more collision has to be counted */
export async function historyOf(
  revisions: Stored<ControllerRevision>,
  owner: Readonly<Owner>,
  selector: Selector,
  hashLabel: string,
  signal: AbortSignal,
): Promise<History | undefined> {
  const all = (await claim(revisions, owner, selector, signal)).sort((a, b) => a.revision - b.revision)
  const data = dataOf(owner.spec.template)
  const last = all.at(-1)
  const next = (last?.revision ?? 0) + 1
  const known = all.filter((revision) => equal(revision.data, data)).at(-1)
  if (known && known === last) return { all, update: known }
  if (known) {
    // Rolled back: the revision is the newest again.
    const moved = await revisions.update(known, (current) => (current.revision = next), signal)
    const update = moved ?? known
    return { all: [...all.filter((revision) => revision !== known), update], update }
  }
  const created = await create(revisions, owner, data, next, hashLabel, signal)
  return created && { all: [...all, created], update: created }
}

function dataOf(template: Readonly<PodTemplateSpec>): ControllerRevision['data'] {
  // As a strategic merge patch that puts the template back; kubectl applies it so to undo a rollout. Clients
  // compare its bytes with those of the present template, in the order in which Go writes maps.
  return { spec: { template: sorted({ ...template, $patch: 'replace' }) as PodTemplateSpec } }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]))
}

async function create(
  revisions: Stored<ControllerRevision>,
  owner: Readonly<Owner>,
  data: ControllerRevision['data'],
  revision: number,
  hashLabel: string,
  signal: AbortSignal,
): Promise<Readonly<ControllerRevision> | undefined> {
  const { namespace = '', name = '', annotations } = owner.metadata
  const hash = templateHash(data, owner.status.collisionCount)
  try {
    return await revisions.create(
      {
        metadata: {
          name: `${name}-${hash}`,
          namespace,
          labels: { ...owner.spec.template.metadata.labels, [hashLabel]: hash },
          ...(annotations && { annotations: structuredClone(annotations) }),
          ownerReferences: [controllerReference(owner)],
        },
        data,
        revision,
      },
      signal,
    )
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = revisions.get(namespace, `${name}-${hash}`)
    return known && equal(known.data, data) ? known : undefined
  }
}

/** Keeps what pods still carry, and the newest of the rest. */
export async function truncate(
  revisions: Stored<ControllerRevision>,
  owner: Readonly<Owner>,
  history: History,
  live: ReadonlySet<string>,
  hashOf: (revision: Readonly<ControllerRevision>) => string,
  signal: AbortSignal,
): Promise<void> {
  const idle = history.all.filter((revision) => revision !== history.update && !live.has(hashOf(revision)))
  const limit = owner.spec.revisionHistoryLimit ?? 10
  for (const revision of idle.slice(0, Math.max(0, idle.length - limit))) {
    await revisions.delete(revision, {}, signal)
  }
}

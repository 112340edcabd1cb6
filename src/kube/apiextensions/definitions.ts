/**
 * Serves what CustomResourceDefinitions define, from the moment they are stored, and writes their conditions.
 *
 * A definition is published as soon as its names are free: a client that has seen the answer of its POST may use the
 * resource. The conditions follow, NamesAccepted first and Established with it, as watchers expect. A definition that
 * is deleted takes its objects along before it goes.
 */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Reconciler, type Request, type Result } from '../../controller/index.js'
import { type Source } from '../../controller/types.js'
import { type Objects } from '../objects.js'
import { type Writer } from '../controllers/writer.js'
import { type Clock, wireTime } from '../registry/clock.js'
import { type Catalogue, type ResourceDefinition } from '../registry/strategy.js'
import { servedResources } from './resources.js'
import {
  type Condition,
  type CustomResourceDefinition,
  type DefinitionNames,
  FINALIZER,
  isTrue,
} from './types.js'

const GROUP = 'apiextensions.k8s.io'
const RESOURCE = 'customresourcedefinitions'
/** How long deletion waits before it looks for objects that finalizers hold. */
const HELD_MS = 500

export interface DefinitionsDeps {
  objects: Objects
  writer: Writer
  catalogue: Catalogue
  clock: Clock
}

export class Definitions implements Reconciler {
  readonly #deps: DefinitionsDeps
  /** Definition name → what of it is in the catalogue. */
  readonly #published = new Map<string, readonly ResourceDefinition[]>()

  constructor(deps: DefinitionsDeps) {
    this.#deps = deps
  }

  /** Publishes at once and asks for a pass; also takes definitions that are gone out of the catalogue. */
  readonly source: Source = (enqueue) =>
    this.#deps.objects.follow(GROUP, RESOURCE, ({ object, previous }) => {
      const definition = (object ?? previous) as CustomResourceDefinition | undefined
      const name = definition?.metadata.name
      if (definition === undefined || name === undefined) return
      if (object) this.#publish(definition)
      else this.#withdraw(name)
      enqueue({ namespace: '', name })
    })

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const definition = this.#deps.objects.get<CustomResourceDefinition>(GROUP, RESOURCE, '', name)
    if (!definition) return
    if (definition.metadata.deletionTimestamp !== undefined) return this.#remove(definition, signal)
    if (!definition.metadata.finalizers?.includes(FINALIZER)) return this.#hold(name, signal)
    const conflict = this.#conflictOf(definition)
    if (conflict !== undefined) {
      await this.#setConditions(definition, signal, undefined, [
        this.#condition('NamesAccepted', 'False', 'PluralConflict', conflict),
        this.#condition('Established', 'False', 'NotAccepted', 'not all names are accepted'),
      ])
      return
    }
    if (!isTrue(definition, 'NamesAccepted')) {
      // The write brings the next pass, which establishes it.
      await this.#setConditions(definition, signal, definition.spec.names, [
        this.#condition('NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'),
        this.#condition('Established', 'False', 'Installing', 'the initial names have been accepted'),
      ])
      return
    }
    if (!isTrue(definition, 'Established')) {
      await this.#setConditions(definition, signal, definition.spec.names, [
        this.#condition(
          'Established',
          'True',
          'InitialNamesAccepted',
          'the initial names have been accepted',
        ),
      ])
    }
  }

  #publish(definition: CustomResourceDefinition): void {
    const name = definition.metadata.name ?? ''
    if (this.#conflictOf(definition) !== undefined) return
    const { catalogue, objects } = this.#deps
    const resources = servedResources(definition, objects)
    const served = new Set(resources.map(({ version }) => version))
    for (const old of this.#published.get(name) ?? []) {
      if (!served.has(old.version)) catalogue.remove(old.group, old.version, old.resource)
    }
    for (const resource of resources) catalogue.set(resource)
    this.#published.set(name, resources)
  }

  #withdraw(name: string): void {
    for (const { group, version, resource } of this.#published.get(name) ?? []) {
      this.#deps.catalogue.remove(group, version, resource)
    }
    this.#published.delete(name)
  }

  /** The kind is taken by another definition of the group. */
  #conflictOf({ metadata, spec }: CustomResourceDefinition): string | undefined {
    for (const [name, resources] of this.#published) {
      if (name === metadata.name) continue
      const taken = resources.find(({ group, kind }) => group === spec.group && kind === spec.names.kind)
      if (taken) return `"${spec.names.kind}" is already in use`
    }
    return undefined
  }

  /** From now on deletion waits for the objects. The write brings the next pass. */
  async #hold(name: string, signal: AbortSignal): Promise<void> {
    const kind = this.#deps.catalogue.get(GROUP, 'v1', RESOURCE)
    if (!kind) return
    const add = (current: KubeObject): KubeObject => {
      current.metadata.finalizers = [...new Set([...(current.metadata.finalizers ?? []), FINALIZER])]
      return current
    }
    await this.#deps.writer.update(kind, '', name, add, { signal })
  }

  /** Objects first, then the finalizer; the watch withdraws the resource when the definition is gone. */
  async #remove(definition: CustomResourceDefinition, signal: AbortSignal): Promise<Result> {
    const { objects, writer, catalogue } = this.#deps
    const { group, names } = definition.spec
    const name = definition.metadata.name ?? ''
    const stored = definition.spec.versions.find(({ storage }) => storage)?.name ?? ''
    const resource = catalogue.get(group, stored, names.plural) ?? this.#published.get(name)?.[0]
    if (resource) {
      const left = objects.list(group, names.plural)
      for (const { metadata } of left) {
        if (metadata.deletionTimestamp !== undefined) continue
        await writer.delete(resource, metadata.namespace ?? '', metadata.name ?? '', {}, signal)
      }
      if (left.length > 0) return { requeueAfter: HELD_MS }
    }
    const kind = catalogue.get(GROUP, 'v1', RESOURCE)
    if (!kind) return
    await writer.update(
      kind,
      '',
      name,
      (current) => {
        current.metadata.finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== FINALIZER)
        return current
      },
      { signal },
    )
  }

  async #setConditions(
    definition: CustomResourceDefinition,
    signal: AbortSignal,
    acceptedNames: DefinitionNames | undefined,
    conditions: readonly Condition[],
  ): Promise<void> {
    const kind = this.#deps.catalogue.get(GROUP, 'v1', RESOURCE)
    if (!kind) return
    await this.#deps.writer.update(
      kind,
      '',
      definition.metadata.name ?? '',
      (current) => {
        const next = current as CustomResourceDefinition
        const before = next.status?.conditions ?? []
        const stored = next.spec.versions.filter(({ storage }) => storage).map(({ name }) => name)
        next.status = {
          conditions: merged(before, conditions),
          acceptedNames: acceptedNames ?? next.status?.acceptedNames ?? { plural: '', kind: '' },
          storedVersions: next.status?.storedVersions?.length ? next.status.storedVersions : stored,
        }
        return next
      },
      { subresource: 'status', signal },
    )
  }

  #condition(type: string, status: string, reason: string, message: string): Condition {
    return { type, status, lastTransitionTime: wireTime(this.#deps.clock.now()), reason, message }
  }
}

/** A condition whose status stays keeps its time. */
function merged(before: readonly Condition[], changes: readonly Condition[]): Condition[] {
  const kept = before.filter(({ type }) => !changes.some((change) => change.type === type))
  return [
    ...kept,
    ...changes.map((change) => {
      const old = before.find(({ type }) => type === change.type)
      const same = old?.status === change.status && old.reason === change.reason
      return same ? old : change
    }),
  ]
}

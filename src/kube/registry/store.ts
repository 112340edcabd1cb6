/**
 * The writing half of the registry: create, update, delete for any resource, over `Storage`.
 *
 * A write reads the newest state, makes the next one, and stores it on condition that nothing came
 * between; otherwise it starts again. Parsed objects never outlive a request, and what is answered are
 * the bytes that were stored.
 */
import {
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  notFound,
  STALE,
  StatusError,
  insufficientStorage,
  unavailable,
} from '../../apimachinery/errors/index.js'
import { equal } from '../../apimachinery/json/value.js'
import { generateName } from '../../apimachinery/meta/generatename.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../apimachinery/meta/validation.js'
import { type KeyValue, Precondition, type Storage, Unwritable } from '../storage/interface.js'
import { uidOf } from './bytes.js'
import { type Clock, wireTime } from './clock.js'
import { completesDeletion, isHeld, markDeleted } from './deletion.js'
import { type DeleteOptions, finalizersFor } from './deleteoptions.js'
import { equalExcept } from './equal.js'
import { orderedMetadata } from './metadata.js'
import { type Random } from './random.js'
import { type Encoder, served } from './served.js'
import {
  type AdmissionPlugin,
  type AdmissionRequest,
  type Catalogue,
  type RequestContext,
  type ResourceDefinition,
} from './strategy.js'
import {
  contextOf,
  type Deleted,
  type FieldTracker,
  type WriteOptions,
  type Written,
} from './writeoptions.js'

export interface RegistryDeps {
  storage: Storage
  catalogue: Catalogue
  admission: readonly AdmissionPlugin[]
  clock: Clock
  random: Random
  /** Absent: managedFields are neither written nor kept. */
  fields?: FieldTracker
}

/** An object larger than this is refused, as etcd does with its default settings. */
const OBJECT_LIMIT = 1.5 * 1024 * 1024
/** How long an answer waits for a write of somebody else that it depends on. */
const VISIBLE_MS = 10_000

/** Makes the next state. `current` is its own; `undefined` where the object does not exist. */
export type Change = (current: KubeObject) => KubeObject | Promise<KubeObject>

export class Registry {
  constructor(readonly deps: RegistryDeps) {}

  /**
   * Stores a new object.
   *
   * @param object decoded and with defaults; becomes the registry's own
   * @throws StatusError 400, 403, 409, 422, whatever admission says
   */
  async create(
    definition: ResourceDefinition,
    namespace: string,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<Written> {
    const { clock, random } = this.deps
    const { strategy } = definition
    const context = contextOf(options, clock.now())
    const { metadata } = object
    if (metadata.resourceVersion) {
      throw new StatusError({
        code: 500,
        reason: '',
        message: 'resourceVersion should not be set on objects to be created',
      })
    }
    if (definition.namespaced) {
      if (metadata.namespace && metadata.namespace !== namespace) {
        throw badRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        )
      }
      metadata.namespace = namespace
    } else if (metadata.namespace) {
      throw badRequest('namespace not allowed on this type')
    }
    const owned = this.#ownership(definition, undefined, object, context)
    delete metadata.selfLink
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
    delete metadata.generation
    metadata.uid = random.uuid()
    metadata.creationTimestamp = wireTime(clock.now())
    if (strategy.statusSubresource) delete object.status
    if (!metadata.name && metadata.generateName) {
      metadata.name = generateName(metadata.generateName, (limit) => random.below(limit))
    }
    if (strategy.hasGeneration) metadata.generation = 1

    const request = this.#request(
      'CREATE',
      definition,
      namespace,
      metadata.name ?? '',
      object,
      undefined,
      context,
    )
    await this.#mutate(request)
    own(object, owned)
    await strategy.prepareForCreate?.(object, context)
    try {
      return await this.#createPrepared(request, object, options)
    } catch (error) {
      // What was handed out for it, such as a cluster IP, is free again.
      strategy.afterDelete?.(object)
      throw error
    } finally {
      request.settle()
    }
  }

  async #createPrepared(
    request: AdmissionRequest,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<Written> {
    const { storage } = this.deps
    const { definition, namespace, context } = request
    const { strategy } = definition
    const resource = served(definition)
    object.metadata = orderedMetadata(object.metadata)
    const faults = [
      ...validateObjectMeta(object.metadata, {
        namespaced: definition.namespaced,
        nameRule: strategy.nameRule,
        // Custom resources and their definitions, want no more than a qualified name.
        standardFinalizers: !definition.custom && definition.group !== 'apiextensions.k8s.io',
      }),
      ...strategy.validate(object, context),
    ]
    if (faults.length > 0) throw resource.invalid(object.metadata.name ?? '', faults)
    request.name = object.metadata.name ?? ''
    await this.#validate(request)

    const name = request.name
    const key = resource.key(namespace, name)
    if (options.dryRun) {
      if (storage.head(key)) throw alreadyExists(definition, name)
      return { value: await resource.unstored(object), created: true }
    }
    const encoder = await this.#encoder(definition, object)
    try {
      const { value } = await storage.put(key, encoder, { expected: 0 })
      return { value, created: true }
    } catch (error) {
      if (error instanceof Precondition) throw alreadyExists(definition, name)
      throw storageError(error)
    }
  }

  /**
   * Changes an object, again and again until nothing came between reading and writing.
   *
   * @param change makes the next state, decoded and with defaults
   * @param create makes the object where there is none; without it that is 404
   */
  async update(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    change: Change,
    options: WriteOptions,
    create?: () => KubeObject | Promise<KubeObject>,
  ): Promise<Written> {
    const { storage } = this.deps
    const resource = served(definition)
    const key = resource.key(namespace, name)
    for (let tries = 0; ; tries++) {
      if (tries > 0) options.caller?.signal.throwIfAborted()
      const head = storage.head(key)
      if (!head) {
        if (!create) throw notFound(definition, name)
        const object = await create()
        delete object.metadata.resourceVersion
        return this.create(definition, namespace, object, { ...options, subresource: '' })
      }
      const previous = await resource.object(head.value)
      const object = await change(structuredClone(previous))
      const written = await this.#updateOnce(definition, namespace, name, head, previous, object, options)
      if (written) return written
    }
  }

  /** @returns undefined when another write came first and this one may be tried again */
  async #updateOnce(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    head: KeyValue,
    previous: Readonly<KubeObject>,
    object: KubeObject,
    options: WriteOptions,
  ): Promise<Written | undefined> {
    const { clock } = this.deps
    const { strategy } = definition
    const context = contextOf(options, clock.now())
    checkIdentity(definition, namespace, name, object)
    const { resourceVersion: given, uid } = object.metadata
    if (uid && uid !== previous.metadata.uid) {
      throw conflict(
        definition,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid ?? ''}`,
      )
    }
    if (!given && !strategy.allowUnconditionalUpdate) {
      // The one message of this sort that names the resource where others name the kind.
      throw invalid({ group: definition.group, kind: definition.resource }, name, [
        {
          reason: 'FieldValueInvalid',
          field: 'metadata.resourceVersion',
          message: 'Invalid value: 0x0: must be specified for an update',
        },
      ])
    }
    if (given && given !== String(head.modRevision)) throw conflict(definition, name, STALE)

    object = keepImmutable(definition, object, previous, options.subresource, (value) => value)
    const owned = this.#ownership(definition, previous, object, context)
    const request = this.#request('UPDATE', definition, namespace, name, object, previous, context)
    try {
      return await this.#updatePrepared(request, head, previous, owned, options)
    } finally {
      request.settle()
    }
  }

  async #updatePrepared(
    request: AdmissionRequest,
    head: KeyValue,
    previous: Readonly<KubeObject>,
    owned: Owned,
    options: WriteOptions,
  ): Promise<Written | undefined> {
    const { storage } = this.deps
    const { definition, name, context } = request
    const { strategy } = definition
    const resource = served(definition)
    await this.#mutate(request)
    const object = keepImmutable(
      definition,
      request.object ?? structuredClone(previous),
      previous,
      options.subresource,
      structuredClone,
    )
    own(object, owned)
    await strategy.prepareForUpdate?.(object, previous, context)
    object.metadata = orderedMetadata(object.metadata)
    if (
      strategy.hasGeneration &&
      options.subresource !== 'status' &&
      !equalExcept(object, previous, ['kind', 'apiVersion', 'metadata', 'status'])
    ) {
      object.metadata.generation = (previous.metadata.generation ?? 0) + 1
    }
    const faults = [
      ...validateObjectMetaUpdate(object.metadata, previous.metadata),
      ...strategy.validateUpdate(object, previous, context),
    ]
    if (faults.length > 0) throw resource.invalid(name, faults)
    request.object = object
    await this.#validate(request)

    if (sameContent(object, previous)) {
      await this.#visible(head, options)
      return { value: head.value, created: false }
    }
    if (options.dryRun) return { value: await resource.unstored(object), created: false }
    const encoder = await this.#encoder(definition, object)
    try {
      if (completesDeletion(definition, object, previous)) {
        await storage.delete(head.key, encoder, { expected: head.modRevision })
        strategy.afterDelete?.(object)
        return { value: await resource.unstored(object), created: false }
      }
      const { value } = await storage.put(head.key, encoder, { expected: head.modRevision })
      return { value, created: false }
    } catch (error) {
      if (error instanceof Precondition) return undefined
      throw storageError(error)
    }
  }

  /** What is told of must be readable. */
  async #visible({ modRevision }: KeyValue, { caller }: WriteOptions): Promise<void> {
    const { storage } = this.deps
    if (storage.revision < modRevision) await storage.waitFor(modRevision, VISIBLE_MS, caller?.signal)
  }

  /** @throws StatusError 404, 409, whatever admission says */
  async delete(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    deletion: DeleteOptions,
    options: WriteOptions,
  ): Promise<Deleted> {
    const { clock, storage } = this.deps
    const resource = served(definition)
    const key = resource.key(namespace, name)
    for (let tries = 0; ; tries++) {
      if (tries > 0) options.caller?.signal.throwIfAborted()
      const head = storage.head(key)
      if (!head) throw notFound(definition, name)
      const context = contextOf(options, clock.now())
      checkPreconditions(definition, name, head, deletion)
      const object = await resource.object(head.value)
      const previous = structuredClone(object)
      await this.admit(this.#request('DELETE', definition, namespace, name, undefined, previous, context))
      const next = this.#deletionOf(definition, object, deletion)
      try {
        if (next === 'gone') {
          if (options.dryRun) return { value: head.value, gone: true }
          const encoder = await this.#encoder(definition, object)
          const { value } = await storage.delete(key, encoder, { expected: head.modRevision })
          definition.strategy.afterDelete?.(object)
          return { value, gone: true }
        }
        if (equal(object, previous)) {
          await this.#visible(head, options)
          return { value: head.value, gone: false }
        }
        if (options.dryRun) return { value: await resource.unstored(object), gone: false }
        const encoder = await this.#encoder(definition, object)
        const { value } = await storage.put(key, encoder, { expected: head.modRevision })
        return { value, gone: false }
      } catch (error) {
        if (!(error instanceof Precondition)) throw storageError(error)
      }
    }
  }

  /** Brings `object` one step towards its end. */
  #deletionOf(
    definition: ResourceDefinition,
    object: KubeObject,
    deletion: DeleteOptions,
  ): 'gone' | 'lingers' {
    const now = this.deps.clock.now()
    const { metadata } = object
    const finalizers = finalizersFor(metadata, deletion)
    if (finalizers.length > 0) metadata.finalizers = finalizers
    else delete metadata.finalizers

    const usual = definition.strategy.gracePeriodSeconds?.(object) ?? 0
    let grace = usual > 0 ? (deletion.gracePeriodSeconds ?? usual) : 0
    const pending = metadata.deletionTimestamp
    if (pending) {
      const running = metadata.deletionGracePeriodSeconds ?? 0
      // A running grace period may only be shortened.
      if (running > 0 && grace < running && deletion.gracePeriodSeconds !== undefined) {
        metadata.deletionTimestamp = wireTime(Date.parse(pending) - (running - grace) * 1000)
        metadata.deletionGracePeriodSeconds = grace
      } else grace = running
    } else if (grace > 0 || isHeld(definition, object)) markDeleted(definition, object, now, grace)
    return grace > 0 || isHeld(definition, object) ? 'lingers' : 'gone'
  }

  #request(
    operation: AdmissionRequest['operation'],
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    object: KubeObject | undefined,
    previous: Readonly<KubeObject> | undefined,
    context: RequestContext,
  ): AdmissionRequest & { settle(): void } {
    const { subresource } = context
    const actions: (() => void)[] = []
    return {
      ...{ operation, definition, subresource, namespace, name, object, previous, context },
      whenSettled: (action) => actions.push(action),
      settle: () => actions.splice(0).forEach((action) => action()),
    }
  }

  async #mutate(request: AdmissionRequest): Promise<void> {
    await this.#admit(request)
    if (request.object) request.definition.strategy.applyDefaults(request.object)
  }

  /** Most plugins have nothing to wait for, and waiting for nothing adds up. */
  async #admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.deps.admission) {
      const admitted = plugin.admit?.(request)
      if (admitted) await admitted
    }
  }

  async #validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.deps.admission) {
      const validated = plugin.validate?.(request)
      if (validated) await validated
    }
  }

  /** Runs the plugins on a request that stores nothing itself (exec, reviews, bindings). */
  async admit(request: AdmissionRequest): Promise<void> {
    await this.#admit(request)
    await this.#validate(request)
  }

  /**
   * The managedFields of an object as it was asked for; admission and what the server decides change nothing
   * about them.
   */
  #ownership(
    definition: ResourceDefinition,
    previous: Readonly<KubeObject> | undefined,
    object: Readonly<KubeObject>,
    context: RequestContext,
  ): Owned {
    const { fields } = this.deps
    // Server-side apply has set the fields itself, and what is done to an object in passing owns nothing.
    if (!fields || context.fieldManager === '') return object.metadata.managedFields
    return fields.update(definition, previous, object, {
      manager: context.fieldManager,
      subresource: context.subresource,
      time: wireTime(context.now.getTime()),
    })
  }

  async #encoder(definition: ResourceDefinition, object: KubeObject): Promise<Encoder> {
    const making = served(definition).encoder(object)
    const encoder = making instanceof Promise ? await making : making
    if (encoder.size <= OBJECT_LIMIT) return encoder
    throw new StatusError({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: 'etcdserver: request is too large',
    })
  }
}

type Owned = KubeObject['metadata']['managedFields']

function own({ metadata }: KubeObject, owned: Owned): void {
  if (owned && owned.length > 0) metadata.managedFields = owned
  else delete metadata.managedFields
}

/** What a write cannot say otherwise than with a Status. */
function storageError(error: unknown): unknown {
  if (!(error instanceof Unwritable)) return error
  if (isFull(error)) return insufficientStorage(`the storage is full: ${error.message}`, { cause: error })
  return unavailable(`the storage accepts no writes: ${error.message}`, { cause: error })
}

function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (['ENOSPC', 'EDQUOT'].includes((at as NodeJS.ErrnoException).code ?? '')) return true
  }
  return false
}

/** @throws StatusError 400 when a body is about another object than the path */
function checkIdentity(
  definition: ResourceDefinition,
  namespace: string,
  name: string,
  object: KubeObject,
): void {
  const { metadata } = object
  if (!metadata.name) {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    )
  }
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  }
  if (definition.namespaced) {
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw badRequest(
        `the namespace of the object (${metadata.namespace}) does not match the namespace on the URL (${namespace})`,
      )
    }
    metadata.namespace = namespace
  } else delete metadata.namespace
}

/**
 * What no update may change: the server's part of metadata, and what belongs to another subresource.
 *
 * @param take how parts of `previous` are taken over: as they are, to be looked at, or as copies
 */
function keepImmutable(
  definition: ResourceDefinition,
  object: KubeObject,
  previous: Readonly<KubeObject>,
  subresource: string,
  take: <T>(value: T) => T,
): KubeObject {
  let result = object
  if (subresource === 'status' || subresource === 'approval') {
    // Custom resources: status alone. Built-in ones also take labels, annotations and finalizers with it.
    const metadata = definition.custom ? structuredClone(previous.metadata) : object.metadata
    result = { ...take(previous), metadata }
    if (object.metadata.managedFields) metadata.managedFields = object.metadata.managedFields
    if (object.status === undefined) delete result.status
    else result.status = object.status
  } else if (definition.strategy.statusSubresource && subresource === '') {
    if (previous.status === undefined) delete result.status
    else result.status = take(previous.status)
  }
  const kept = previous.metadata
  const metadata: Record<string, unknown> = result.metadata as Record<string, unknown>
  for (const field of [
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const) {
    if (kept[field] === undefined) delete metadata[field]
    else metadata[field] = kept[field]
  }
  delete metadata.selfLink
  return result
}

/** Equal but for times in managedFields: storing it would tell nobody anything. */
function sameContent(object: Readonly<KubeObject>, previous: Readonly<KubeObject>): boolean {
  if (!equalExcept(object, previous, ['metadata'])) return false
  const { metadata } = object
  if (
    !equalExcept(metadata as Record<string, unknown>, previous.metadata as Record<string, unknown>, [
      'managedFields',
    ])
  ) {
    return false
  }
  const untimed = (entries: KubeObject['metadata']['managedFields']): unknown =>
    (entries ?? []).map(({ time: _time, ...entry }) => entry)
  return equal(untimed(metadata.managedFields), untimed(previous.metadata.managedFields))
}

function checkPreconditions(
  definition: ResourceDefinition,
  name: string,
  head: KeyValue,
  { preconditions }: DeleteOptions,
): void {
  if (!preconditions) return
  const subject = { group: definition.group, resource: definition.kind }
  const uid = uidOf(head.value)
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    throw conflict(
      subject,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    )
  }
  const revision = String(head.modRevision)
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== revision) {
    throw conflict(
      subject,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${revision}). The object might have been modified`,
    )
  }
}

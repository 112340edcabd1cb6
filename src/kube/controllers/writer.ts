/**
 * Writes of the server's own controllers: straight to the registry, as themselves.
 *
 * They pass admission and validation like any other write; authentication and authorization are for
 * requests.
 */
import { breathe } from '../../controller/breathe.js'
import { isAlreadyExists, isNotFound } from '../../apimachinery/errors/index.js'
import { type KubeObject, parseApiVersion, type UserInfo } from '../../apimachinery/meta/types.js'
import { type DeleteOptions } from '../registry/deleteoptions.js'
import { decode } from '../registry/decode.js'
import { parse } from '../registry/served.js'
import { type Change, type Registry } from '../registry/store.js'
import { type Catalogue, type ResourceDefinition } from '../registry/strategy.js'
import { type WriteOptions } from '../registry/writeoptions.js'

export const CONTROLLER_USER: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: ['system:masters', 'system:authenticated'],
}

export class Writer {
  constructor(
    private readonly registry: Registry,
    private readonly catalogue: Catalogue,
    private readonly fieldManager = 'kube-controller-manager',
  ) {}

  /** @param object names its kind and apiVersion @throws StatusError */
  async create(object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    await breathe()
    const definition = this.#byKind(object)
    const options = this.#options('', signal)
    const decoded = decode(this.catalogue, definition, structuredClone(object), options)
    const { value } = await this.registry.create(
      definition,
      object.metadata.namespace ?? '',
      decoded,
      options,
    )
    return parse(value)
  }

  /** @returns undefined when one of that name is there already */
  async createMissing(object: KubeObject, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await this.create(object, signal)
    } catch (error) {
      if (isAlreadyExists(error)) return undefined
      throw error
    }
  }

  /**
   * Reads, changes and writes, again when somebody was faster. A change that changes nothing writes nothing.
   *
   * @returns undefined when the object is not there
   */
  async update(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    change: Change,
    { subresource = '', signal }: { subresource?: string; signal?: AbortSignal } = {},
  ): Promise<KubeObject | undefined> {
    await breathe()
    try {
      const options = this.#options(subresource, signal)
      const { value } = await this.registry.update(definition, namespace, name, change, options)
      return parse(value)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** @returns false when it was not there */
  async delete(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    deletion: DeleteOptions = {},
    signal?: AbortSignal,
  ): Promise<boolean> {
    await breathe()
    try {
      await this.registry.delete(definition, namespace, name, deletion, this.#options('', signal))
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /** @throws Error when the server does not serve it */
  definition(group: string, version: string, resource: string): ResourceDefinition {
    const definition = this.catalogue.get(group, version, resource)
    if (!definition) throw new Error(`${resource}.${version}.${group} is not served`)
    return definition
  }

  #byKind({ apiVersion = '', kind = '' }: KubeObject): ResourceDefinition {
    const { group, version } = parseApiVersion(apiVersion) ?? { group: '', version: '' }
    const definition = this.catalogue.byKind(group, version, kind)
    if (!definition) throw new Error(`kind ${kind} of ${apiVersion} is not served`)
    return definition
  }

  #options(subresource: string, signal: AbortSignal | undefined): WriteOptions {
    return {
      user: CONTROLLER_USER,
      dryRun: false,
      fieldManager: this.fieldManager,
      fieldValidation: 'Ignore',
      subresource,
      warn() {},
      ...(signal && { signal }),
    }
  }
}

/**
 * A resource definition with what the hot paths need worked out once: prefixes of stored bytes, and the
 * ways from stored bytes to objects and to bytes of the served version.
 *
 * Where nothing has to change, and that is the rule, bytes go out as they are stored.
 */
import { invalid, type FieldFault, type StatusError } from '../../apimachinery/errors/index.js'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { FrameRing } from './frames.js'
import { orderedObject } from './metadata.js'
import { type ResourceDefinition } from './strategy.js'

export type MaybePromise<T> = T | Promise<T>

/** Turns a revision into the bytes to store. */
export type Encoder = ((revision: number) => Buffer) & { size: number }

const OPEN = Buffer.from('{')
/** Until it is known. */
const NO_REVISION = '0'
const REVISION_FIELD = '"resourceVersion":"'
const compiled = new WeakMap<ResourceDefinition, Served>()

export function served(definition: ResourceDefinition): Served {
  let known = compiled.get(definition)
  if (!known) compiled.set(definition, (known = new Served(definition)))
  return known
}

/** Parses stored bytes. */
export function parse(value: Uint8Array): KubeObject {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as KubeObject
}

export class Served {
  readonly apiVersion: string
  readonly #storageVersion: string
  /** `{"kind":"Pod","apiVersion":"v1",` of this version. */
  readonly #prefix: Buffer
  readonly #wire = new WeakMap<Buffer, Buffer>()
  readonly #frames = new Map<string, FrameRing>()

  constructor(readonly definition: ResourceDefinition) {
    this.apiVersion = apiVersionOf(definition)
    this.#storageVersion = apiVersionOf(definition.storage)
    this.#prefix = this.#prefixOf(this.apiVersion)
  }

  #prefixOf(apiVersion: string): Buffer {
    const { kind } = this.definition
    const text = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`
    // Out of no pool: it stays for good, and would keep all that is cut from the same one.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
    bytes.write(text)
    return bytes
  }

  /** The frames that watches of one form share. */
  frames(form: string): FrameRing {
    let ring = this.#frames.get(form)
    if (!ring) this.#frames.set(form, (ring = new FrameRing()))
    return ring
  }

  /** A namespace's own path names it as the namespace too; objects of the cluster have none. */
  key(namespace: string, name: string): string {
    const { keyPrefix, namespaced } = this.definition
    return namespace === '' || !namespaced ? `${keyPrefix}/${name}` : `${keyPrefix}/${namespace}/${name}`
  }

  /** All keys below it belong to the resource, or to one namespace of it. */
  keysPrefix(namespace: string): string {
    const { keyPrefix } = this.definition
    return namespace === '' ? `${keyPrefix}/` : `${keyPrefix}/${namespace}/`
  }

  where(key: string): { namespace: string; name: string } {
    const rest = key.slice(this.definition.keyPrefix.length + 1)
    const slash = rest.indexOf('/')
    if (slash < 0 || !this.definition.namespaced) return { namespace: '', name: rest }
    return { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) }
  }

  /** A stored object in this version; a fresh one, free to change. */
  object(value: Uint8Array): MaybePromise<KubeObject> {
    const object = parse(value)
    const { convert } = this.definition
    if (object.apiVersion === this.apiVersion || !convert) return this.#finish(object)
    const converted = convert.fromStorage(object)
    return converted instanceof Promise
      ? converted.then((result) => this.#finish(result))
      : this.#finish(converted)
  }

  #finish(object: KubeObject): KubeObject {
    object.kind = this.definition.kind
    object.apiVersion = this.apiVersion
    this.definition.strategy.defaultOnRead?.(object)
    return object
  }

  /** A stored object as JSON of this version, without a newline. */
  wire(value: Buffer): MaybePromise<Buffer> {
    const asStored =
      value.length > this.#prefix.length &&
      value.compare(this.#prefix, 0, this.#prefix.length, 0, this.#prefix.length) === 0
    if (asStored && !this.definition.strategy.defaultOnRead) return value
    const known = this.#wire.get(value)
    if (known) return known
    const object = this.object(value)
    const keep = (result: KubeObject): Buffer => {
      const text = JSON.stringify(orderedObject(result, this.definition.kind, this.apiVersion))
      const bytes = Buffer.from(text)
      const wire = bytes.equals(value) ? value : bytes
      this.#wire.set(value, wire)
      return wire
    }
    return object instanceof Promise ? object.then(keep) : keep(object)
  }

  /** `wire` as it stands in a list: without kind and apiVersion for built-in kinds. */
  item(wire: Buffer): Buffer[] {
    return this.definition.custom ? [wire] : [OPEN, wire.subarray(this.#prefix.length)]
  }

  /** Prepares an object of this version for storing. */
  encoder(object: KubeObject): MaybePromise<Encoder> {
    const { convert } = this.definition
    if (this.apiVersion === this.#storageVersion || !convert) return this.#encoder(object)
    const stored = convert.toStorage(object)
    return stored instanceof Promise ? stored.then((each) => this.#encoder(each)) : this.#encoder(stored)
  }

  #encoder(stored: KubeObject): Encoder {
    const ordered = orderedObject(stored, this.definition.kind, this.#storageVersion, NO_REVISION)
    const text = JSON.stringify(ordered)
    // Quotes within texts are written with a backslash: the first place is the field itself.
    const at = text.indexOf(REVISION_FIELD) + REVISION_FIELD.length
    const [before, after] = [text.slice(0, at), text.slice(at + NO_REVISION.length)]
    return Object.assign((revision: number) => Buffer.from(`${before}${revision}${after}`), {
      size: Buffer.byteLength(text),
    })
  }

  /** The bytes of an object that is not stored: no resourceVersion, or the one it has. */
  async unstored(object: KubeObject): Promise<Buffer> {
    const { convert, kind } = this.definition
    const stored =
      this.apiVersion === this.#storageVersion || !convert ? object : await convert.toStorage(object)
    return Buffer.from(JSON.stringify(orderedObject(stored, kind, this.#storageVersion)))
  }

  /** 422 in the words of this kind. Some kinds are still named after the group they come from. */
  invalid(name: string, faults: readonly FieldFault[]): StatusError {
    const { group, kind } = this.definition
    const old = group === 'networking.k8s.io' && (kind === 'Ingress' || kind === 'NetworkPolicy')
    return invalid({ group: old ? 'extensions' : group, kind }, name, faults)
  }
}

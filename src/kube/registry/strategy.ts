/**
 * What the generic registry needs to know of one served resource.
 *
 * The registry (store.ts) does what is the same for all: names, uid, timestamps, generation, finalizers,
 * preconditions, dry run, watch. A definition adds what differs. Built-in kinds make theirs from data
 * (`kube/builtin`), custom resources from their CustomResourceDefinition (`kube/apiextensions`).
 *
 * Objects handed to a strategy are its own: it may change them in place. Objects read from storage for
 * comparison (`previous`) are frozen by convention: never change them.
 */
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { type GroupVersion, type KubeObject, type UserInfo } from '../../apimachinery/meta/types.js'

/** Whoever waits for an answer. Its signal is made when it is first asked for, so it is handed on as it is. */
export interface Caller {
  readonly signal: AbortSignal
}

export interface RequestContext {
  user: UserInfo
  /** The clock of the server; whole seconds are written to the wire. */
  now: Date
  dryRun: boolean
  /** "" for the main resource, `status`, `scale`, ... */
  subresource: string
  fieldManager: string
  /** Collects texts for `Warning: 299` headers. */
  warn(text: string): void
  caller?: Caller | undefined
}

/** One column of the Table form. */
export interface TableColumn {
  name: string
  /** `string`, `integer`, `number`, `boolean`, `date`. */
  type: string
  format: string
  description: string
  /** 0 is shown always, more only for `-o wide`. */
  priority: number
}

export interface DecodeIssues {
  /** Paths of fields the schema does not know (dropped): `spec.foo`. */
  unknown: string[]
  /** Paths that occurred twice in the body. */
  duplicate: string[]
}

export interface Strategy {
  /**
   * Checks the types of a freshly parsed body against the schema and drops what the schema does not know.
   * Returns the object (may be the same). @throws StatusError 400 for a wrong type of a built-in kind
   */
  decode(object: KubeObject, issues: DecodeIssues): KubeObject
  /** Fills defaults, canonicalises quantities. Runs after decode, after each patch and after mutating admission. */
  applyDefaults(object: KubeObject): void
  /** Also run on objects read from storage (custom resources: a default added later shows up at once). */
  defaultOnRead?(object: KubeObject): void
  /** Allocates and resets what the server decides (clusterIP, initial phase); metadata is already done. */
  prepareForCreate?(object: KubeObject, context: RequestContext): void | Promise<void>
  /** Keeps what this request may not change. Status separation and generation are done by the registry. */
  prepareForUpdate?(
    object: KubeObject,
    previous: Readonly<KubeObject>,
    context: RequestContext,
  ): void | Promise<void>
  /** All faults, in field order. Metadata is checked by the registry with `nameRule`. */
  validate(object: KubeObject, context: RequestContext): FieldFault[]
  /** Faults of a changed object: those that `validate` finds, and those of the change itself. */
  validateUpdate(object: KubeObject, previous: Readonly<KubeObject>, context: RequestContext): FieldFault[]
  /** Called after the object is gone from storage (free an IP). */
  afterDelete?(object: Readonly<KubeObject>): void

  nameRule: 'subdomain' | 'label' | 'service' | 'path-segment'
  /** The main path ignores `status`, `/status` takes only it. */
  statusSubresource: boolean
  /** `metadata.generation` starts at 1 and grows when anything but metadata and status changes. */
  hasGeneration: boolean
  /** PUT of a missing object creates it (201). */
  allowCreateOnUpdate: boolean
  /** PUT without a resourceVersion is accepted. */
  allowUnconditionalUpdate: boolean
  /** Deletion waits `gracePeriodSeconds` (pods bound to a node); undefined deletes at once. */
  gracePeriodSeconds?(object: Readonly<KubeObject>): number | undefined

  columns: readonly TableColumn[]
  /** Cells in column order; numbers stay numbers, missing values are `<none>`/`<unknown>` texts as kubectl shows. */
  cells(object: Readonly<KubeObject>, now: Date): unknown[]
  /** Field selectors besides metadata.name and metadata.namespace: label → value of the object. */
  fieldSelectors?: Readonly<Record<string, (object: Readonly<KubeObject>) => string>>
  /** The definitions.json name or the structural schema behind OpenAPI and patches. */
  schema: SchemaSource
}

/** Where merge keys, list types and the published schema come from. */
export type SchemaSource =
  | { builtin: string }
  | { structural: Readonly<Record<string, unknown>> | undefined; preserveUnknownFields: boolean }

/** A subresource other than `status` and `scale`; answered by its own function. */
export interface SubresourceDefinition {
  name: string
  /** Kind of its bodies, with the group and version when they are not the parent's: `autoscaling/v1` Scale. */
  kind: string
  group?: string
  version?: string
  verbs: readonly string[]
  /** Absent: advertised in discovery, answered 501-like Status that says what is missing. */
  create?: (
    parent: KubeObject | undefined,
    body: KubeObject,
    where: { namespace: string; name: string },
    context: RequestContext,
  ) => Promise<KubeObject>
}

export interface ScalePaths {
  specReplicasPath: string
  statusReplicasPath: string
  labelSelectorPath?: string
}

export interface ResourceDefinition extends GroupVersion {
  /** Plural. */
  resource: string
  /** "" for built-ins, as the genuine server prints. */
  singular: string
  kind: string
  listKind: string
  namespaced: boolean
  verbs: readonly string[]
  shortNames: readonly string[]
  categories: readonly string[]
  /** As discovery prints it, or "". */
  storageVersionHash: string
  /** The version objects are stored in; equal to group/version unless another served version stores. */
  storage: GroupVersion
  /** `/registry/apps/deployments`; all versions of a resource share it. Keys: prefix[/namespace]/name. */
  keyPrefix: string
  strategy: Strategy
  scale?: ScalePaths
  subresources: readonly SubresourceDefinition[]
  /** Present when this version differs from the storage version. */
  convert?: {
    toStorage(object: KubeObject): KubeObject | Promise<KubeObject>
    fromStorage(object: KubeObject): KubeObject | Promise<KubeObject>
  }
  /** Built-in list items carry no kind and apiVersion, custom ones do. */
  custom: boolean
  /** Reviews: POST computes an answer, nothing is stored. */
  review?: (object: KubeObject, context: RequestContext, namespace: string) => Promise<KubeObject>
  /** Objects that are worked out when asked for, and stored nowhere. */
  computed?: {
    get(namespace: string, name: string): KubeObject | undefined
    list(namespace: string): KubeObject[]
  }
  /** A text for `Warning: 299` on every use of a deprecated version. */
  deprecation?: string
}

/** The served resources; changes with CRDs while the server runs. */
export interface Catalogue {
  /** Goes up with every change; discovery and OpenAPI caches key on it. */
  readonly revision: number
  get(group: string, version: string, resource: string): ResourceDefinition | undefined
  byKind(group: string, version: string, kind: string): ResourceDefinition | undefined
  /** All, in discovery order. */
  all(): Iterable<ResourceDefinition>
  /** Groups with their versions, the preferred one first. */
  groups(): Iterable<{ name: string; versions: readonly string[]; preferred: string }>
  set(definition: ResourceDefinition): void
  remove(group: string, version: string, resource: string): void
  onChange(listener: () => void): () => void
}

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  definition: ResourceDefinition
  subresource: string
  namespace: string
  name: string
  /** The new object; undefined on delete. A mutating plugin changes it in place. */
  object: KubeObject | undefined
  previous: Readonly<KubeObject> | undefined
  context: RequestContext
  /** Calls `action` once the write is done, however it ended. */
  whenSettled(action: () => void): void
}

/** An admission plugin. Throws StatusError to refuse. */
export interface AdmissionPlugin {
  name: string
  admit?(request: AdmissionRequest): void | Promise<void>
  validate?(request: AdmissionRequest): void | Promise<void>
}

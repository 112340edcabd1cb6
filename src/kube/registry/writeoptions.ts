/** What a write request says besides its object, and what the registry answers. */
import { type KubeObject, type ManagedFieldsEntry, type UserInfo } from '../../apimachinery/meta/types.js'
import { type Caller, type DecodeIssues, type RequestContext, type ResourceDefinition } from './strategy.js'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface WriteOptions {
  user: UserInfo
  dryRun: boolean
  fieldManager: string
  fieldValidation: FieldValidation
  /** "" for the main resource. */
  subresource: string
  /** Collects texts for `Warning: 299` headers. */
  warn: (text: string) => void
  caller?: Caller | undefined
}

export interface Written {
  /** As stored, or as it would be stored in a dry run. */
  value: Buffer
  created: boolean
}

export interface Deleted {
  /** The object as it was last, or as it lingers. */
  value: Buffer
  /** False: finalizers or a grace period keep it. */
  gone: boolean
}

/** Field ownership, `metadata.managedFields`. */
export interface FieldTracker {
  /** @returns managedFields of `object`, which `manager` has made out of `previous` */
  update(
    definition: ResourceDefinition,
    previous: Readonly<KubeObject> | undefined,
    object: Readonly<KubeObject>,
    by: { manager: string; subresource: string; time: string },
  ): ManagedFieldsEntry[]
  /**
   * Merges an applied configuration.
   *
   * @returns the object with its managedFields
   * @throws StatusError 409 when other managers own what it changes
   */
  apply(
    definition: ResourceDefinition,
    previous: Readonly<KubeObject> | undefined,
    applied: KubeObject,
    by: { manager: string; subresource: string; time: string; force: boolean },
  ): KubeObject
}

export function contextOf(options: WriteOptions, now: number): RequestContext {
  return {
    user: options.user,
    now: new Date(now),
    dryRun: options.dryRun,
    subresource: options.subresource,
    fieldManager: options.fieldManager,
    warn: options.warn,
    caller: options.caller,
  }
}

/** The texts for fields that the schema does not know or that came twice. */
export function issueTexts(issues: DecodeIssues): string[] {
  return [
    ...issues.unknown.map((path) => `unknown field "${path}"`),
    ...issues.duplicate.map((path) => `duplicate field "${path}"`),
  ]
}

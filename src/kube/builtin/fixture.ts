/** For tests of rules: a body taken as far as the registry takes it before it is stored. */
import { type FieldFault } from '../../apimachinery/errors/index.js'
import { apiVersionOf, type KubeObject } from '../../apimachinery/meta/types.js'
import { type RequestContext, type ResourceDefinition } from '../registry/strategy.js'
import { builtinResources } from './index.js'

export const CONTEXT: RequestContext = {
  user: { name: 'admin', groups: ['system:authenticated'] },
  now: new Date(Date.UTC(2026, 0, 1)),
  dryRun: true,
  subresource: '',
  fieldManager: '',
  warn() {},
}

/** What a client sends; the name defaults to `x`. */
export interface Body {
  apiVersion: string
  kind: string
  metadata?: object
  [field: string]: unknown
}

const resources = builtinResources()

/** @throws Error when there is no such kind */
export function definitionOf(apiVersion: string, kind: string): ResourceDefinition {
  const found = resources.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion)
  if (!found) throw new Error(`there is no ${apiVersion} ${kind}`)
  return found
}

/** Read, and with defaults. */
export function decoded(body: Body): KubeObject {
  const { strategy } = definitionOf(body.apiVersion, body.kind)
  const whole = { ...body, metadata: { name: 'x', uid: 'u', ...body.metadata } } as KubeObject
  const object = strategy.decode(structuredClone(whole), { unknown: [], duplicate: [] })
  strategy.applyDefaults(object)
  return object
}

/** `<field>: <message>` of a new object. */
export async function createFaults(body: Body): Promise<string[]> {
  const { strategy } = definitionOf(body.apiVersion, body.kind)
  const object = decoded(body)
  await strategy.prepareForCreate?.(object, CONTEXT)
  return strategy.validate(object, CONTEXT).map(text)
}

/** Faults of a change that the new state does not have by itself. */
export async function updateFaults(
  before: Body,
  change: (object: KubeObject) => void,
  context: Partial<RequestContext> = {},
): Promise<string[]> {
  const { strategy } = definitionOf(before.apiVersion, before.kind)
  const previous = decoded(before)
  await strategy.prepareForCreate?.(previous, CONTEXT)
  const next = structuredClone(previous)
  change(next)
  strategy.applyDefaults(next)
  const asked = { ...CONTEXT, ...context }
  await strategy.prepareForUpdate?.(next, previous, asked)
  return strategy.validateUpdate(next, previous, asked).map(text)
}

function text({ field, message }: FieldFault): string {
  return `${field}: ${message}`
}

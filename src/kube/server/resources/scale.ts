/** `/scale`: the number of replicas of a workload, as autoscaling/v1 Scale, read and written through it. */
import { badRequest, invalid } from '../../../apimachinery/errors/index.js'
import { formatSelector, type LabelSelector } from '../../../apimachinery/labels/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { readOne } from '../../registry/list.js'
import { served } from '../../registry/served.js'
import { type ResourceDefinition, type ScalePaths } from '../../registry/strategy.js'
import { type WriteOptions, type Written } from '../../registry/writeoptions.js'
import { type Api } from '../api.js'
import { objectBody, parseYamlBody } from '../body.js'
import { type Exchange } from '../exchange.js'
import { negotiate } from '../negotiate.js'
import { answerJson } from '../output.js'
import { writeOptions } from '../query.js'
import { isApply, patchType, readPatch, writeApplied } from './patch.js'

interface Scale extends KubeObject {
  spec: { replicas?: number }
  status: { replicas: number; selector?: string }
}

/** `.spec.replicas` */
function parts(path: string): string[] {
  return path.split('.').filter((part) => part !== '')
}

function at(object: unknown, path: string): unknown {
  return parts(path).reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined,
    object,
  )
}

function set(object: KubeObject, path: string, value: number): void {
  const names = parts(path)
  const last = names.pop()
  if (last === undefined) return
  let holder: Record<string, unknown> = object
  for (const name of names) holder = (holder[name] ??= {}) as Record<string, unknown>
  holder[last] = value
}

function selectorText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  const isSelector = 'matchLabels' in value || 'matchExpressions' in value
  if (isSelector) return formatSelector(value as LabelSelector)
  return formatSelector({ matchLabels: value as Record<string, string> })
}

function scaleOf(object: Readonly<KubeObject>, paths: ScalePaths): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const metadata: Record<string, unknown> = { name, namespace, uid, resourceVersion, creationTimestamp }
  const replicas = Number(at(object, paths.specReplicasPath) ?? 0)
  const selector = paths.labelSelectorPath ? selectorText(at(object, paths.labelSelectorPath)) : ''
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: Number(at(object, paths.statusReplicasPath) ?? 0),
      ...(selector !== '' && { selector }),
    },
  }
}

/** Puts what a Scale says into its parent. @throws StatusError 400, 422 */
function scaled(current: KubeObject, scale: KubeObject, paths: ScalePaths): KubeObject {
  const { name = '' } = current.metadata
  if (scale.kind !== 'Scale') {
    throw badRequest(`${scale.kind ?? ''} cannot be handled as a Scale`)
  }
  if (scale.metadata?.name !== undefined && scale.metadata.name !== name) {
    throw badRequest(
      `the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`,
    )
  }
  const replicas = (scale.spec as { replicas?: unknown } | undefined)?.replicas ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas: wrong type of value')
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
      },
    ])
  }
  const given = scale.metadata?.resourceVersion
  if (given) current.metadata.resourceVersion = given
  set(current, paths.specReplicasPath, replicas)
  return current
}

/** Serves all verbs of a scale subresource. */
export async function scale(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  paths: ScalePaths,
): Promise<void> {
  const { namespace, name, verb } = exchange.requestInfo
  const form = negotiate(exchange, undefined, '')
  const resource = served(definition)
  let value: Buffer
  if (verb === 'get') {
    value = (await readOne(api.storage, definition, namespace, name, '', exchange)).value
  } else {
    value = (await write(api, exchange, definition, paths)).value
  }
  answerJson(exchange, 200, scaleOf(await resource.object(value), paths), form)
}

async function write(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  paths: ScalePaths,
): Promise<Written> {
  const { namespace, name, verb } = exchange.requestInfo
  if (verb === 'patch') {
    const type = patchType(exchange, definition)
    const options = writeOptions(exchange, 'PatchOptions', 'scale', isApply(type))
    if (isApply(type)) return applyScale(api, exchange, definition, paths, options)
    const patch = await readPatch(api, exchange, withScaleSchema(definition), type)
    const change = (current: KubeObject): KubeObject => scaled(current, patch(scaleOf(current, paths)), paths)
    return api.registry.update(definition, namespace, name, change, options)
  }
  const options = writeOptions(exchange, 'UpdateOptions', 'scale')
  const { object: body } = await objectBody(exchange, definition, 'Scale')
  body.kind ??= 'Scale'
  return api.registry.update(definition, namespace, name, (current) => scaled(current, body, paths), options)
}

/** What is applied to a Scale is owned in the parent, where others may own it too. */
async function applyScale(
  api: Api,
  exchange: Exchange,
  definition: ResourceDefinition,
  paths: ScalePaths,
  options: WriteOptions & { force: boolean },
): Promise<Written> {
  const { namespace, name } = exchange.requestInfo
  const body = parseYamlBody(await exchange.body(), 'Scale') as Partial<Scale> | null
  if (body?.kind !== 'Scale' || body.apiVersion !== 'autoscaling/v1') {
    throw badRequest('what is applied here is a Scale of autoscaling/v1')
  }
  const { kind } = definition
  const metadata = { name, ...(namespace !== '' && { namespace }) }
  const applied: KubeObject = { apiVersion: served(definition).apiVersion, kind, metadata }
  if (body.spec?.replicas !== undefined) set(applied, paths.specReplicasPath, body.spec.replicas)
  return writeApplied(api, exchange, definition, applied, options)
}

/** Patches of a Scale follow its own schema, not that of the parent. */
function withScaleSchema(definition: ResourceDefinition): ResourceDefinition {
  const schema = { builtin: 'io.k8s.api.autoscaling.v1.Scale' }
  return { ...definition, strategy: { ...definition.strategy, schema } }
}

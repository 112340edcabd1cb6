/** What a CustomResourceDefinition serves: one ResourceDefinition per served version. */
import { compileJsonPath } from '../../apimachinery/jsonpath/index.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { compileSchema, type CompiledSchema } from '../../apimachinery/schema/structural/index.js'
import { type Objects, prefixOf } from '../objects.js'
import { age } from '../builtin/printing/age.js'
import { type ResourceDefinition, type Strategy, type TableColumn } from '../registry/strategy.js'
import { ConversionWebhook } from './conversion.js'
import { type CustomResourceDefinition, type DefinitionVersion } from './types.js'

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

export function servedResources(
  definition: CustomResourceDefinition,
  objects: Objects,
): ResourceDefinition[] {
  const { spec } = definition
  const webhook =
    spec.conversion?.strategy === 'Webhook' ? new ConversionWebhook(objects, definition) : undefined
  return spec.versions
    .filter(({ served }) => served)
    .map((version) => resourceOf(definition, version, webhook))
}

function resourceOf(
  definition: CustomResourceDefinition,
  version: DefinitionVersion,
  webhook: ConversionWebhook | undefined,
): ResourceDefinition {
  const { spec } = definition
  const { group, names } = spec
  const stored = spec.versions.find(({ storage }) => storage)?.name ?? version.name
  const { scale } = version.subresources ?? {}
  return {
    group,
    version: version.name,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    namespaced: spec.scope === 'Namespaced',
    verbs: VERBS,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    storageVersionHash: '',
    storage: { group, version: stored },
    keyPrefix: prefixOf(group, names.plural),
    strategy: strategyOf(definition, version),
    ...(scale && { scale }),
    subresources: [],
    // A webhook also converts what was stored before the storage version changed.
    ...((webhook ?? version.name !== stored) && {
      convert: conversion(group, version.name, stored, webhook),
    }),
    custom: true,
    ...(version.deprecated && {
      deprecation: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`,
    }),
  }
}

/** Strategy `None`: only the apiVersion differs. */
function conversion(
  group: string,
  version: string,
  stored: string,
  webhook: ConversionWebhook | undefined,
): NonNullable<ResourceDefinition['convert']> {
  const to = (target: string) => {
    const apiVersion = `${group}/${target}`
    return (object: KubeObject): KubeObject | Promise<KubeObject> =>
      webhook && object.apiVersion !== apiVersion
        ? webhook.convert(object, apiVersion)
        : { ...object, apiVersion }
  }
  return { toStorage: to(stored), fromStorage: to(version) }
}

function strategyOf({ spec }: CustomResourceDefinition, version: DefinitionVersion): Strategy {
  const schema = version.schema?.openAPIV3Schema
  const preserve = spec.preserveUnknownFields === true
  const compiled = lazily(() => compileSchema(schema, preserve))
  const { columns, cells } = printing(version)
  return {
    decode(object, issues) {
      issues.unknown.push(...compiled().prune(object))
      return object
    },
    applyDefaults: (object) => compiled().applyDefaults(object),
    // A default that was added later shows up on objects that were stored before it.
    ...(mentionsDefault(schema) && {
      defaultOnRead: (object: KubeObject) => compiled().applyDefaults(object),
    }),
    validate: (object) => compiled().validate(object),
    validateUpdate: (object, previous) => compiled().validate(object, previous),
    nameRule: 'subdomain',
    statusSubresource: version.subresources?.status !== undefined,
    hasGeneration: true,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    columns,
    cells,
    schema: {
      structural: schema as Readonly<Record<string, unknown>> | undefined,
      preserveUnknownFields: preserve,
    },
  }
}

/** Fifty definitions at start should cost nothing until somebody writes an object of theirs. */
function lazily(compile: () => CompiledSchema): () => CompiledSchema {
  let compiled: CompiledSchema | undefined
  return () => (compiled ??= compile())
}

function mentionsDefault(schema: unknown): boolean {
  if (schema === null || typeof schema !== 'object') return false
  if (Object.hasOwn(schema, 'default')) return true
  return Object.values(schema).some(mentionsDefault)
}

const NAME: TableColumn = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }
const AGE: TableColumn = { name: 'Age', type: 'date', format: '', description: '', priority: 0 }

/** The name, then the columns of the definition; without any of them the age. */
function printing({ additionalPrinterColumns }: DefinitionVersion): Pick<Strategy, 'columns' | 'cells'> {
  if (!additionalPrinterColumns || additionalPrinterColumns.length === 0) {
    return {
      columns: [NAME, AGE],
      cells: ({ metadata }, now) => [metadata.name ?? '', age(metadata.creationTimestamp, now)],
    }
  }
  const own = additionalPrinterColumns.map(({ jsonPath, ...column }) => ({
    column: { format: '', description: '', priority: 0, ...column },
    path: lazilyPath(jsonPath),
  }))
  return {
    columns: [NAME, ...own.map(({ column }) => column)],
    cells: (object, now) => [
      object.metadata.name ?? '',
      ...own.map(({ column, path }) => cell(path(object), column.type, now)),
    ],
  }
}

function lazilyPath(text: string): (object: unknown) => unknown[] {
  let path: ReturnType<typeof compileJsonPath> | undefined
  return (object) => (path ??= compileJsonPath(text)).all(object)
}

function cell(found: readonly unknown[], type: string, now: Date): unknown {
  const [value] = found
  if (value === undefined || value === null) return null
  if (type === 'date') return typeof value === 'string' ? age(value, now) : '<invalid>'
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (found.length > 1) return found.map(text).join(',')
  return text(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

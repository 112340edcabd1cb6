/**
 * CustomResourceDefinition: v1beta1 may say for all versions at once what v1 says for each: schema,
 * subresources, columns. It is shown that way when all versions agree.
 */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { same } from '../faults.js'
import { type Reshape } from './index.js'

type Json = Record<string, unknown>

interface Version extends Json {
  name: string
  served: boolean
  storage: boolean
  schema?: Json
  subresources?: Json
  additionalPrinterColumns?: Json[]
}

interface Spec extends Json {
  version?: string
  versions?: Version[]
  validation?: Json
  subresources?: Json
  additionalPrinterColumns?: Json[]
  conversion?: Json
  preserveUnknownFields?: boolean
}

const specOf = (object: KubeObject) => (object['spec'] ?? {}) as Spec

function renameKey(list: Json[] | undefined, from: string, to: string): Json[] | undefined {
  return list?.map(({ [from]: value, ...rest }) => ({ ...rest, ...(value !== undefined && { [to]: value }) }))
}

/** Fields that stand at the top of v1beta1, and what they are called in a version. */
const SHARED = [
  ['validation', 'schema'],
  ['subresources', 'subresources'],
  ['additionalPrinterColumns', 'additionalPrinterColumns'],
] as const

export const definitionV1beta1: Reshape = {
  toStorage(object) {
    const spec = specOf(object)
    const versions =
      spec.versions ?? (spec.version ? [{ name: spec.version, served: true, storage: true }] : [])
    for (const version of versions) {
      for (const [top, each] of SHARED) {
        if (version[each] === undefined && spec[top] !== undefined) {
          Object.assign(version, { [each]: structuredClone(spec[top]) })
        }
      }
      const columns = renameKey(version.additionalPrinterColumns, 'JSONPath', 'jsonPath')
      if (columns) version.additionalPrinterColumns = columns
    }
    spec.versions = versions
    for (const [top] of SHARED) delete spec[top]
    delete spec.version
    if (spec.conversion) spec.conversion = conversionToV1(spec.conversion)
    // False is the only value that v1 has; it is not written.
    if (spec.preserveUnknownFields === false) delete spec.preserveUnknownFields
  },
  fromStorage(object) {
    const spec = specOf(object)
    const versions = spec.versions ?? []
    for (const version of versions) {
      const columns = renameKey(version.additionalPrinterColumns, 'jsonPath', 'JSONPath')
      if (columns) version.additionalPrinterColumns = columns
    }
    const [first] = versions
    if (first) {
      spec.version = first.name
      for (const [top, each] of SHARED) {
        if (first[each] === undefined || !versions.every((version) => same(version[each], first[each])))
          continue
        Object.assign(spec, { [top]: first[each] })
        for (const version of versions) delete version[each]
      }
    }
    if (spec.conversion) spec.conversion = conversionFromV1(spec.conversion)
    spec.preserveUnknownFields ??= false
  },
}

function conversionToV1({ webhookClientConfig, conversionReviewVersions, ...rest }: Json): Json {
  if (webhookClientConfig === undefined && conversionReviewVersions === undefined) return rest
  const webhook = {
    ...(webhookClientConfig !== undefined && { clientConfig: webhookClientConfig }),
    ...(conversionReviewVersions !== undefined && { conversionReviewVersions }),
  }
  return { ...rest, webhook }
}

function conversionFromV1({ webhook, ...rest }: Json): Json {
  const { clientConfig, conversionReviewVersions } = (webhook ?? {}) as Json
  return {
    ...rest,
    ...(clientConfig !== undefined && { webhookClientConfig: clientConfig }),
    ...(conversionReviewVersions !== undefined && { conversionReviewVersions }),
  }
}

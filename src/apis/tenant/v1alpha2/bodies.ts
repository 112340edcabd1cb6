/** The bodies of writes as typed objects: what is not part of the type is dropped, empty parts are left out. */
import { type Static, type TSchema, Type } from '../../../apimachinery/schema/type.js'
import { badRequest } from '../../../apimachinery/errors/index.js'
import { goTypeOf } from '../../../apimachinery/json/value.js'
import { tidyPlacement } from '../../../tenancy/placement.js'
import { MetadataBody, typedMetadata } from '../../../tenancy/typedmetadata.js'
import {
  type Placement,
  type WorkspaceQuotaObject,
  type WorkspaceTemplateObject,
} from '../../../tenancy/types.js'

const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const texts = optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])))

const PlacementBody = Type.Object({
  clusters: optional(Type.Array(Type.Object({ name: Type.String() }))),
  clusterSelector: optional(
    Type.Object({
      matchLabels: optional(Type.Record(Type.String(), Type.String())),
      matchExpressions: optional(
        Type.Array(
          Type.Object({
            key: Type.String(),
            operator: Type.String(),
            values: optional(Type.Array(Type.String())),
          }),
        ),
      ),
    }),
  ),
})

export const WorkspaceTemplateBody = Type.Object(
  {
    metadata: MetadataBody.properties.metadata,
    spec: optional(
      Type.Object({
        template: optional(
          Type.Object({
            metadata: optional(Type.Object({ labels: texts, annotations: texts })),
            spec: optional(
              Type.Object({ manager: optional(Type.String()), networkIsolation: optional(Type.Boolean()) }),
            ),
          }),
        ),
        placement: optional(PlacementBody),
        overrides: optional(Type.Array(Type.Object({}, { additionalProperties: true }))),
      }),
    ),
  },
  { title: 'v1alpha2.WorkspaceTemplate' },
)

export const QuotaBody = Type.Object(
  {
    metadata: MetadataBody.properties.metadata,
    spec: optional(
      Type.Object({
        quota: optional(
          Type.Object({
            hard: optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]))),
            scopes: optional(Type.Array(Type.String())),
            scopeSelector: optional(Type.Object({}, { additionalProperties: true })),
          }),
        ),
      }),
    ),
  },
  { title: 'v1alpha2.ResourceQuota' },
)

export function typedTemplate(body: Static<typeof WorkspaceTemplateBody>): WorkspaceTemplateObject {
  const { template, placement, overrides } = body.spec ?? {}
  const { manager, networkIsolation } = template?.spec ?? {}
  const { labels, annotations } = typedMetadata({
    metadata: {
      labels: template?.metadata?.labels ?? null,
      annotations: template?.metadata?.annotations ?? null,
    },
  })
  return {
    metadata: typedMetadata(body),
    spec: {
      template: {
        metadata: { ...(labels && { labels }), ...(annotations && { annotations }) },
        spec: {
          ...(manager && { manager }),
          ...(typeof networkIsolation === 'boolean' && { networkIsolation }),
        },
      },
      placement: typedPlacement(placement),
      ...(overrides && overrides.length > 0 && { overrides }),
    },
  }
}

function typedPlacement(body: Static<typeof PlacementBody> | null | undefined): Placement {
  const { clusters, clusterSelector } = body ?? {}
  const { matchLabels, matchExpressions } = clusterSelector ?? {}
  return tidyPlacement({
    ...(clusters && { clusters: clusters.map(({ name }) => ({ name })) }),
    ...(clusterSelector && {
      clusterSelector: {
        ...(matchLabels && { matchLabels }),
        ...(matchExpressions && {
          matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
            key,
            operator,
            ...(values && { values }),
          })),
        }),
      },
    }),
  })
}

/** Without selector: which namespaces a quota is about is not the client's to say. */
export function typedQuota(body: Static<typeof QuotaBody>): WorkspaceQuotaObject {
  const { hard, scopes, scopeSelector } = body.spec?.quota ?? {}
  const amounts = Object.entries(hard ?? {}).map(([name, amount]) => [name, String(amount)])
  return {
    metadata: typedMetadata(body),
    spec: {
      quota: {
        ...(hard && { hard: Object.fromEntries(amounts) as Record<string, string> }),
        ...(scopes && { scopes }),
        ...(scopeSelector && { scopeSelector }),
      },
    },
  }
}

/** @throws StatusError 400 in the words of the original when the body is no object */
export function demandObject(body: unknown, type: string): void {
  if (body !== null && typeof body === 'object' && !Array.isArray(body)) return
  throw badRequest(`json: cannot unmarshal ${goTypeOf(body)} into Go value of type ${type}`)
}

/**
 * The bodies of writes, read the way the original's typed objects are: what is not part of the type is dropped, and
 * a null among labels or annotations is an empty text, not a removal.
 */
import { type Static, Type } from '../apimachinery/schema/type.js'
import { badRequest } from '../apimachinery/errors/index.js'
import { type ObjectMeta } from '../apimachinery/meta/types.js'

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const textMap = Type.Optional(
  Type.Union([Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])), Type.Null()]),
)

const Metadata = Type.Object({
  name: text,
  generateName: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  labels: textMap,
  annotations: textMap,
  ownerReferences: Type.Optional(
    Type.Union([
      Type.Array(
        Type.Object({
          apiVersion: Type.String(),
          kind: Type.String(),
          name: Type.String(),
          uid: Type.String(),
          controller: Type.Optional(Type.Boolean()),
          blockOwnerDeletion: Type.Optional(Type.Boolean()),
        }),
      ),
      Type.Null(),
    ]),
  ),
})

/** An object of which only the metadata is the client's to say. */
export const MetadataBody = Type.Object({ metadata: Type.Optional(Type.Union([Metadata, Type.Null()])) })

/** @param type how the original calls what it wants, for errors */
export const metadataBodyOf = (type: string) => Type.Object(MetadataBody.properties, { title: type })

/** Those parts of the metadata that a client may write. Finalizers are the controllers' and are not among them. */
export function typedMetadata({ metadata }: Static<typeof MetadataBody>): ObjectMeta {
  const { name, generateName, namespace, uid, resourceVersion, labels, annotations } = metadata ?? {}
  return {
    ...(name && { name }),
    ...(generateName && { generateName }),
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
    ...(labels && { labels: typedMap(labels) }),
    ...(annotations && { annotations: typedMap(annotations) }),
    ...(metadata?.ownerReferences && { ownerReferences: metadata.ownerReferences }),
  }
}

function typedMap(map: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value ?? '']))
}

/** @throws StatusError 400 */
export function demandName(inBody: string | undefined, inPath: string): void {
  if ((inBody ?? '') !== inPath)
    throw badRequest(
      `the name of the object (${inBody ?? ''}) does not match the name on the URL (${inPath})`,
    )
}

/** `?dryRun=All`. @throws StatusError 400 for any other value: a client that asks for a trial must not get a write */
export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter((value) => value !== '')
  const unknown = values.find((value) => value !== 'All')
  if (unknown !== undefined) throw badRequest(`dryRun: unsupported value "${unknown}": supported is "All"`)
  return values.length > 0
}

/** What `kubectl explain` says of the parts that every object has. */
import { type Schema } from './schemas.js'

export const METADATA =
  "Standard object's metadata: what the object is called, and what the server knows of it."
export const API_VERSION = 'APIVersion defines the group and the version that the object is written in.'
export const KIND = 'Kind is the kind of the object, in CamelCase.'

const FIELDS: Readonly<Record<string, string>> = {
  name: 'Name is unique among the objects of the kind in a namespace, and cannot be changed.',
  generateName: 'GenerateName is what a name begins with that the server completes.',
  namespace: 'Namespace is where the object is; empty for objects of the whole cluster.',
  uid: 'UID tells the object from all others that ever were, also from those of the same name.',
  resourceVersion: 'ResourceVersion changes with every write; a write that names an old one is refused.',
  generation: 'Generation counts the changes of what is wanted, not those of the status.',
  creationTimestamp: 'CreationTimestamp is a timestamp of the server: when the object was created.',
  deletionTimestamp: 'DeletionTimestamp is when the object will be gone, once its deletion was asked for.',
  deletionGracePeriodSeconds: 'DeletionGracePeriodSeconds is how long the object has to end by itself.',
  labels: 'Labels are keys and values that objects are selected by.',
  annotations: 'Annotations are keys and values for tools and people; nothing is selected by them.',
  ownerReferences: 'OwnerReferences are the objects that this one goes with.',
  finalizers: 'Finalizers name who has something to do before the object may go.',
  managedFields: 'ManagedFields tell which manager owns which field.',
}

/** @param schema of ObjectMeta */
export function describedMetadata(schema: Schema): Schema {
  const properties = Object.entries(schema['properties'] as Record<string, Schema>).map(
    ([name, property]) => [
      name,
      FIELDS[name] === undefined ? property : { description: FIELDS[name], ...property },
    ],
  )
  return { description: METADATA, ...schema, properties: Object.fromEntries(properties) as Schema }
}

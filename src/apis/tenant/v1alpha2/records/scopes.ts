/** Whose records may be read, in the words of a store. */
import { type ReadablePlace } from '../../../../integrations/records/interface.js'
import { type RecordScope, type Since } from '../../../../tenancy/narrowing/index.js'

export function readableLogs({ namespaces }: RecordScope): readonly ReadablePlace[] | 'everything' {
  return namespaces === 'any' ? 'everything' : placesOf('kubernetes.namespace_name', namespaces)
}

export function readableEvents({ namespaces, unscoped }: RecordScope): ReadablePlace[] {
  return [
    ...placesOf('involvedObject.namespace', namespaces),
    ...(unscoped ? [{ lacks: 'involvedObject.namespace' }] : []),
  ]
}

/** Records of no place hold empty texts; those without the fields are for nobody. */
export function readableAudits({ namespaces, workspaces, unscoped }: RecordScope): ReadablePlace[] {
  const nowhere: Since = new Map(unscoped ? [['', undefined]] : [])
  return [
    ...placesOf('ObjectRef.Namespace', namespaces),
    ...placesOf('Workspace', workspaces),
    ...placesOf('ObjectRef.Namespace', nowhere),
    ...placesOf('Workspace', nowhere),
  ]
}

function placesOf(field: string, places: Since | 'any'): ReadablePlace[] {
  return places === 'any' ? [] : [...places].map(([is, since]) => ({ field, is, since }))
}

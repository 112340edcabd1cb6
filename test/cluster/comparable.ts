/** Answers of two servers, without what differs from run to run and what only one of them prints. */
import { type KubeObject } from '../../src/apimachinery/meta/types.js'

export type Json = Record<string, unknown>

/** Without Go's way of printing whole structs, and without the comparisons that it prints for developers. */
function causeText(cause: Json): string {
  const message = String(cause['message'])
    .split('\n')[0]
    ?.replace(/^(Invalid value|Unsupported value): (&?\[?\]?\w+\.[A-Z]|map\[).*[})](?=: )/s, '$1: GO')
  return JSON.stringify([cause['field'], message])
}

/** Without what differs from run to run. */
export function comparable(json: Json): unknown {
  if (json['kind'] === 'Status') {
    const { reason, message, details } = json as {
      reason?: string
      message: string
      details?: { causes?: Json[] }
    }
    return details?.causes
      ? { reason, causes: [...new Set(details.causes.map(causeText))].sort() }
      : { reason, message: message.replace(/(cannot be handled as a \w+: ).*/s, '$1...') }
  }
  const copy = structuredClone(json) as unknown as KubeObject & { spec?: Json }
  for (const field of ['uid', 'resourceVersion', 'creationTimestamp', 'managedFields', 'selfLink'] as const)
    delete copy.metadata[field]
  if (copy.kind === 'Job' && copy.spec) {
    return JSON.parse(
      JSON.stringify(copy).replaceAll(String((json['metadata'] as Json)['uid']), 'UID'),
    ) as unknown
  }
  if (copy.kind === 'HorizontalPodAutoscaler' && Array.isArray(copy.spec?.['metrics'])) {
    // Stored there as v1, which puts the use of cpu last.
    copy.spec['metrics'].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  // Whether its priority level is there, which its controller there writes down.
  if (copy.kind === 'FlowSchema') delete (copy as { status?: unknown }).status
  if (copy.kind === 'CertificateSigningRequest' && copy.spec) {
    for (const field of ['username', 'groups', 'uid', 'extra']) delete copy.spec[field]
  }
  if (copy.kind === 'Service') {
    for (const field of ['clusterIP', 'clusterIPs'])
      if (copy.spec?.[field] !== undefined && copy.spec[field] !== 'None') copy.spec[field] = 'SET'
    for (const port of (copy.spec?.['ports'] ?? []) as Json[]) if (port['nodePort']) port['nodePort'] = 'SET'
    if (copy.spec?.['healthCheckNodePort']) copy.spec['healthCheckNodePort'] = 'SET'
  }
  return copy
}

/** Our causes, with the value left out where the other side prints a struct of Go. */
export function likewise(ours: unknown, theirs: unknown): unknown {
  const [own, wanted] = [ours, theirs].map((said) => (said as { causes?: string[] }).causes)
  if (!own || !wanted) return ours
  const masked = (cause: string): string =>
    cause
      .replace(/Invalid value: .*: /s, 'Invalid value: GO: ')
      .replace(/Unsupported value: .*: (?=supported values)/s, 'Unsupported value: GO: ')
  const causes = own.map((cause) =>
    !wanted.includes(cause) && wanted.includes(masked(cause)) ? masked(cause) : cause,
  )
  return { ...(ours as object), causes: [...new Set(causes)].sort() }
}

/** Where they differ, one line. */
export function firstDifference(a: unknown, b: unknown, path = ''): string | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return undefined
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return `${path}: ${JSON.stringify(a)} | ${JSON.stringify(b)}`
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  for (const key of keys) {
    const found = firstDifference((a as Json)[key], (b as Json)[key], `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined // Only the order of keys.
}

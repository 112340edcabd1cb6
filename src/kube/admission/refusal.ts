/** What the plugins share: which request is theirs, and how they refuse one. */
import { forbidden, type StatusError } from '../../apimachinery/errors/index.js'
import { type AdmissionRequest } from '../registry/strategy.js'

/** Whether a request is about objects of a resource themselves, not about something below them. */
export function isAbout(
  { definition, subresource }: AdmissionRequest,
  group: string,
  resource: string,
): boolean {
  return subresource === '' && definition.resource === resource && definition.group === group
}

/** 403 about the object; one whose name is yet to be generated goes by its prefix. */
export function refusal({ definition, name, object }: AdmissionRequest, why: string): StatusError {
  return forbidden(definition, name || (object?.metadata.generateName ?? ''), why)
}

/** Several reasons as one text, as the genuine server joins them. */
export function joined(reasons: readonly string[]): string {
  const different = [...new Set(reasons)]
  return different.length === 1 ? (different[0] ?? '') : `[${different.join(', ')}]`
}

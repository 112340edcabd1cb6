/** Names of images: `registry/repository:tag` or `registry/repository@digest`. */

export interface ImageReference {
  /** Host and port. */
  registry: string
  repository: string
  /** A tag or a digest. */
  identifier: string
}

export const DEFAULT_REGISTRY = 'index.docker.io'
const REPOSITORY = /^[a-z0-9_\-./]{2,255}$/
const TAG = /^[\w.-]{1,128}$/
const DIGEST = /^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/

/** @returns undefined when the text is no reference */
export function parseReference(text: string): ImageReference | undefined {
  const at = text.indexOf('@')
  let name = at === -1 ? text : text.slice(0, at)
  let identifier = at === -1 ? 'latest' : text.slice(at + 1)
  if (at !== -1 && !DIGEST.test(identifier)) return undefined
  const colon = name.lastIndexOf(':')
  if (colon > name.lastIndexOf('/')) {
    if (at === -1) identifier = name.slice(colon + 1)
    name = name.slice(0, colon)
  }
  if (at === -1 && !TAG.test(identifier)) return undefined
  const place = parseRepository(name)
  return place && { ...place, identifier }
}

/** @returns undefined when the text is no repository */
export function parseRepository(text: string): { registry: string; repository: string } | undefined {
  const slash = text.indexOf('/')
  const first = slash === -1 ? '' : text.slice(0, slash)
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = hasHost ? first : DEFAULT_REGISTRY
  let repository = hasHost ? text.slice(slash + 1) : text
  if (!REPOSITORY.test(repository)) return undefined
  if (registry === DEFAULT_REGISTRY && !repository.includes('/')) repository = `library/${repository}`
  return { registry, repository }
}

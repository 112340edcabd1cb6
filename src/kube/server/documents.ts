/** Paths with one fixed answer: `/version`, `/`, and documents that others provide (keys, metrics). */
import { methodNotAllowed } from '../../apimachinery/errors/index.js'
import { type Catalogue } from '../registry/strategy.js'
import { type PathHandler } from './dispatch.js'
import { type VersionInfo } from './interfaces.js'
import { answerJson } from './output.js'

export interface ServedDocument {
  contentType: string
  body: string | Uint8Array
}

/** By path, without a slash at the end. */
export type Documents = Readonly<Record<string, () => ServedDocument | Promise<ServedDocument>>>

const JSON_FORM = { mediaType: 'application/json', pretty: true } as const

export function documentPaths(version: VersionInfo, catalogue: Catalogue, documents: Documents): PathHandler {
  return async (exchange) => {
    const path = exchange.requestInfo.path.replace(/(?<=.)\/$/, '')
    const document = Object.hasOwn(documents, path) ? documents[path] : undefined
    if (!document && path !== '/version' && path !== '/') return false
    if (exchange.method !== 'GET') throw methodNotAllowed()
    if (document) {
      const { contentType, body } = await document()
      exchange.answer(200, contentType, Buffer.from(body))
    } else if (path === '/version') answerJson(exchange, 200, version, JSON_FORM)
    else answerJson(exchange, 200, { paths: rootPaths(catalogue, documents) }, JSON_FORM)
    return true
  }
}

function rootPaths(catalogue: Catalogue, documents: Documents): string[] {
  const paths = ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version']
  for (const { name, versions } of catalogue.groups()) {
    const root = name === '' ? '/api' : `/apis/${name}`
    if (name !== '') paths.push(root)
    for (const version of versions) paths.push(`${root}/${version}`)
  }
  return [...paths, ...Object.keys(documents)].sort()
}

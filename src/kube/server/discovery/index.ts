/**
 * `/api`, `/apis` and what is below them, in the form the client asks for. Documents are made once per
 * change of the catalogue.
 */
import { createHash } from 'node:crypto'
import { methodNotAllowed, noSuchResource } from '../../../apimachinery/errors/index.js'
import { isBuiltinGroup } from '../../registry/catalogue.js'
import { type Catalogue } from '../../registry/strategy.js'
import { type Foreign } from '../../aggregator/types.js'
import { type PathHandler } from '../dispatch.js'
import { type Exchange } from '../exchange.js'
import { negotiate, parseAccept, wantsPretty } from '../negotiate.js'
import { answerBytes, formatted } from '../output.js'
import { aggregatedDiscovery, type AggregatedVersion } from './aggregated.js'
import { groupsOf } from './groups.js'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './plain.js'

/** The aggregated form, when the client likes it at least as much as any other that we have. */
function aggregatedVersion(exchange: Exchange): AggregatedVersion | undefined {
  for (const { type, params } of parseAccept(exchange.header('accept'))) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/yaml') continue
    if (params.as === undefined) return undefined
    if (type !== 'application/json' || params.as !== 'APIGroupDiscoveryList') continue
    if (params.g !== 'apidiscovery.k8s.io') continue
    if (params.v === 'v2' || params.v === 'v2beta1') return params.v
  }
  return undefined
}

export function discoveryPaths(catalogue: Catalogue, serverAddress: string, foreign: Foreign): PathHandler {
  const documents = new Map<string, { bytes: Buffer; etag: string } | undefined>()
  let revision = -1

  function document(key: string, make: () => unknown): { bytes: Buffer; etag: string } | undefined {
    // Both only grow.
    const current = catalogue.revision + foreign.revision
    if (revision !== current) {
      documents.clear()
      revision = current
    }
    if (!documents.has(key)) {
      const value = make()
      const bytes = Buffer.from(value === undefined ? '' : JSON.stringify(value))
      const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`
      documents.set(key, value === undefined ? undefined : { bytes, etag })
    }
    return documents.get(key)
  }

  function aggregated(exchange: Exchange, core: boolean, version: AggregatedVersion): void {
    const made = document(`${version}/${core}`, () => aggregatedDiscovery(catalogue, foreign, core, version))
    if (!made) return
    const headers = { etag: made.etag, vary: 'Accept' }
    if (exchange.header('if-none-match') === made.etag) {
      exchange.head(304, headers)
      exchange.end()
      return
    }
    const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
    const form = { mediaType: 'application/json', pretty: wantsPretty(exchange) } as const
    exchange.answer(200, type, formatted(made.bytes, form), headers)
  }

  function plain(parts: readonly string[]): unknown {
    const [prefix, first = '', second = ''] = parts
    if (prefix === 'api') {
      return parts.length === 1
        ? apiVersions(catalogue, serverAddress)
        : apiResourceList(catalogue, '', first)
    }
    const groups = groupsOf(catalogue, foreign)
    if (parts.length === 1) return apiGroupList(groups)
    return parts.length === 2 ? apiGroup(groups, first) : apiResourceList(catalogue, first, second)
  }

  return (exchange) => {
    const parts = exchange.requestInfo.path.split('/').filter((part) => part !== '')
    const [prefix] = parts
    if (prefix !== 'api' && prefix !== 'apis') return false
    if (exchange.method !== 'GET') throw methodNotAllowed()
    const version = parts.length === 1 ? aggregatedVersion(exchange) : undefined
    if (version) {
      aggregated(exchange, prefix === 'api', version)
      return true
    }
    const made = document(parts.join('/'), () => plain(parts))
    if (!made) {
      const group = prefix === 'api' ? '' : (parts[1] ?? '')
      const known =
        isBuiltinGroup(group) && (prefix === 'api' || apiGroup(catalogue.groups(), group) !== undefined)
      if (known) throw noSuchResource()
      return false
    }
    answerBytes(exchange, 200, made.bytes, negotiate(exchange, undefined, 'discovery'))
    return true
  }
}

/**
 * The form of answers as genuine servers have given them, for the stand-in of the tests. From recordings of Elasticsearch
 * 6.7 and 7, and of OpenSearch 2.0: `GET /`, searches, searches with aggregations, and refusals, with the values replaced.
 * Nobody has recorded scrolls, bulk writes, Elasticsearch 5 and 8 or OpenSearch 1: those are as their manuals have them.
 */
import { type DIALECTS } from './dialects.js'

type Json = Record<string, unknown>

const VERSIONS: Record<keyof typeof DIALECTS, Json> = {
  '5': { number: '5.6.16', build_hash: '3a740d1', lucene_version: '6.6.1' },
  '6': { number: '6.7.0', build_flavor: 'oss', build_type: 'docker', lucene_version: '7.7.0' },
  '7': { number: '7.6.1', build_flavor: 'default', build_type: 'docker', lucene_version: '8.4.0' },
  '8': { number: '8.11.1', build_flavor: 'default', build_type: 'docker', lucene_version: '9.8.0' },
  // It says that it is Elasticsearch 7.10 where it is told to.
  opensearchv1: { distribution: 'opensearch', number: '1.3.4', build_type: 'tar', lucene_version: '8.10.1' },
  opensearchv2: { distribution: 'opensearch', number: '2.0.1', build_type: 'tar', lucene_version: '9.1.0' },
}

export function rootOf(version: keyof typeof DIALECTS): Json {
  return {
    name: 'data-0',
    cluster_name: 'logging',
    cluster_uuid: 'AAAAAAAAAAAAAAAAAAAAAA',
    version: { ...VERSIONS[version], build_snapshot: false, minimum_wire_compatibility_version: '7.10.0' },
    tagline: version.startsWith('opensearch')
      ? 'The OpenSearch Project: https://opensearch.org/'
      : 'You Know, for Search',
  }
}

/** Since 7 the total is an object; the type of a document was told until then, and as long as it has one. */
export function searchAnswer(version: keyof typeof DIALECTS, total: number, sources: readonly Json[]): Json {
  const isOld = version === '5' || version === '6'
  const isTyped = isOld || version === '7'
  return {
    took: 8,
    timed_out: false,
    _shards: { total: 2, successful: 2, skipped: 0, failed: 0 },
    hits: {
      total: isOld ? total : { value: total, relation: 'eq' },
      max_score: sources.length === 0 ? null : 1,
      hits: sources.map((_source, n) => ({
        _index: 'ks-logstash-log-2026.03.05',
        ...(isTyped && { _type: 'flb_type' }),
        _id: `id-${n}`,
        _score: 1,
        _source,
      })),
    },
  }
}

export function bucketAnswer(key: number, count: number): Json {
  return { key_as_string: new Date(key).toISOString(), key, doc_count: count }
}

/** What the coordinating node cannot read, and what a shard cannot do. */
export function refusal(type: string, reason: string, isOfShards = false): Json {
  const cause = { type, reason }
  if (!isOfShards) return { error: { root_cause: [cause], ...cause }, status: 400 }
  return {
    error: {
      root_cause: [cause, cause],
      type: 'search_phase_execution_exception',
      reason: 'all shards failed',
      phase: 'query',
      grouped: true,
      failed_shards: [{ shard: 0, index: 'ks-logstash-log-2026.03.05', node: 'n', reason: cause }],
      caused_by: { ...cause, caused_by: cause },
    },
    status: 400,
  }
}

export function missingIndex(index: string): Json {
  const cause = {
    type: 'index_not_found_exception',
    reason: 'no such index',
    'resource.type': 'index_or_alias',
    'resource.id': index,
    index_uuid: '_na_',
    index,
  }
  return { error: { root_cause: [cause], ...cause }, status: 404 }
}

/** What of the records was asked for, from the query string. */
import { type Match } from '../../../../integrations/records/interface.js'
import { workloadPattern } from '../../../../integrations/records/workloads.js'
import { type PlaceFilters } from '../../../../tenancy/narrowing/index.js'
import { anyOf, containing, listIn } from './parameters.js'

const POD = 'kubernetes.pod_name'
const CONTAINER = 'kubernetes.container_name'

export function logFilters(query: URLSearchParams): Match[][] {
  return [
    ...anyOf(query, 'workloads', (name) => ({ field: POD, pattern: workloadPattern(name) })),
    ...anyOf(query, 'workload_query', (prefix) => ({ field: POD, prefix })),
    ...anyOf(query, 'pods', (is) => ({ field: POD, is })),
    ...anyOf(query, 'pod_query', (prefix) => ({ field: POD, prefix })),
    ...anyOf(query, 'containers', (is) => ({ field: CONTAINER, is })),
    ...anyOf(query, 'container_query', (prefix) => ({ field: CONTAINER, prefix })),
    ...anyOf(query, 'log_query', (prefix) => ({ field: 'log', prefix })),
  ]
}

export function eventFilters(query: URLSearchParams): Match[][] {
  const type = query.get('type_filter') ?? ''
  return [
    ...anyOf(query, 'involved_object_name_filter', (is) => ({ field: 'involvedObject.name', is })),
    ...anyOf(query, 'involved_object_name_search', (prefix) => ({ field: 'involvedObject.name', prefix })),
    ...anyOf(query, 'involved_object_kind_filter', (words) => ({ field: 'involvedObject.kind', words })),
    ...anyOf(query, 'reason_filter', (words) => ({ field: 'reason', words })),
    ...anyOf(query, 'reason_search', (text) => ({ field: 'reason', glob: containing(text) })),
    ...anyOf(query, 'message_search', (prefix) => ({ field: 'message', prefix })),
    ...(type === '' ? [] : [[{ field: 'type', words: type }]]),
  ]
}

export function auditFilters(query: URLSearchParams): Match[][] {
  const exactly = (name: string, field: string): Match[][] => anyOf(query, name, (is) => ({ field, is }))
  const like = (name: string, field: string): Match[][] =>
    anyOf(query, name, (text) => ({ field, glob: containing(text) }))
  return [
    ...exactly('objectref_name_filter', 'ObjectRef.Name'),
    ...like('objectref_name_search', 'ObjectRef.Name'),
    ...exactly('level_filter', 'Level'),
    ...exactly('verb_filter', 'Verb'),
    ...exactly('user_filter', 'User.Username'),
    ...like('user_search', 'User.Username'),
    ...like('group_search', 'User.Groups'),
    ...like('source_ip_search', 'SourceIPs'),
    ...anyOf(query, 'objectref_resource_filter', (prefix) => ({ field: 'ObjectRef.Resource', prefix })),
    ...anyOf(query, 'objectref_subresource_filter', (prefix) => ({ field: 'ObjectRef.Subresource', prefix })),
    // What is no number is left out of the alternatives.
    ...anyOf(query, 'response_code_filter', (text) =>
      /^\d{1,6}$/.test(text) ? { field: 'ResponseStatus.code', number: Number(text) } : undefined,
    ),
    ...exactly('response_status_filter', 'ResponseStatus.status'),
  ]
}

/** @param namespaces what the parameters for namespaces begin with */
export function placeFilters(
  query: URLSearchParams,
  namespaces: 'involved_object' | 'objectref',
): PlaceFilters {
  return {
    workspaces: listIn(query, 'workspace_filter') ?? [],
    workspaceSearch: listIn(query, 'workspace_search') ?? [],
    namespaces: listIn(query, `${namespaces}_namespace_filter`) ?? [],
    namespaceSearch: listIn(query, `${namespaces}_namespace_search`) ?? [],
  }
}

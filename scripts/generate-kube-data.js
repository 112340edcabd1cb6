#!/usr/bin/env node
/**
 * Carries the facts of a genuine Kubernetes 1.20 API server over into config/kube/, from the recordings in
 * ../shared/golden (see its README). Run by a maintainer when the recordings change; the outputs are committed.
 *
 *   schema.json     OpenAPI definitions without descriptions: types, required fields, formats, merge keys, list types
 *   resources.json  groups and their resources: verbs, names, subresources, storage hashes, printer columns
 *   protobuf.json   field numbers and types of the protobuf messages
 *   bootstrap.json  the objects that a fresh server has: RBAC, priority classes, flow control, API services
 *
 * On top of 1.20 come four versions that later clients ask for, made from the beta they grew out of.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const golden = join(root, '..', 'shared', 'golden')
const output = join(root, 'config', 'kube')

const read = (name) => JSON.parse(readFileSync(join(golden, name), 'utf8'))
const { definitions } = read('kube/definitions.json')
const { packages } = read('kube/protobuf.json')
const { tables } = read('kube/tables.json')
const paths = read('kube/paths.json')
const discovery = read('kube-discovery.json')
const state = read('state.json')

// Field ownership of subresources, kept apart since 1.22: clients send it back, and it must not be unknown then.
const META = 'pkg.apis.meta.v1'
definitions[`io.k8s.apimachinery.${META}.ManagedFieldsEntry`].properties.subresource = { type: 'string' }
// Of 1.25: rules of custom resources.
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
definitions[`${APIEXTENSIONS}.JSONSchemaProps`].properties['x-kubernetes-validations'] = {
  type: 'array',
  items: { $ref: `#/definitions/${APIEXTENSIONS}.ValidationRule` },
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['rule'],
  'x-kubernetes-patch-merge-key': 'rule',
  'x-kubernetes-patch-strategy': 'merge',
}
definitions[`${APIEXTENSIONS}.ValidationRule`] = {
  type: 'object',
  required: ['rule'],
  properties: Object.fromEntries(
    ['fieldPath', 'message', 'messageExpression', 'reason', 'rule'].map((name) => [name, { type: 'string' }]),
  ),
}
definitions[`${APIEXTENSIONS}.ValidationRule`].properties.optionalOldSelf = { type: 'boolean' }
{
  const messages = packages[`k8s.io.${APIEXTENSIONS.slice('io.k8s.'.length).replace('-', '_')}`]
  messages.JSONSchemaProps.xKubernetesValidations = [44, 'repeated ValidationRule']
  const fields = ['rule', 'message', 'messageExpression', 'reason', 'fieldPath']
  messages.ValidationRule = Object.fromEntries(fields.map((name, i) => [name, [i + 1, 'string']]))
  messages.ValidationRule.optionalOldSelf = [6, 'bool']
}
packages[`k8s.io.apimachinery.${META}`].ManagedFieldsEntry.subresource = [8, 'string']

// The one message of a version added beside 1.20 that is not that of its beta.
{
  const { topology, ...fields } = packages['k8s.io.api.discovery.v1beta1'].Endpoint
  const Endpoint = { ...fields, deprecatedTopology: topology, zone: [7, 'string'] }
  packages['k8s.io.api.discovery.v1'] = { Endpoint }
}

/** Group versions of the recorded server that come from CustomResourceDefinitions, not from Kubernetes. */
const isForeign = (group) =>
  /(^|\.)(kubesphere\.io|coreos\.com|app\.k8s\.io)$/.test(group) || group === 'snapshot.storage.k8s.io'

/** What we serve beside 1.20: the version, the recorded one it is made from, and the resources it takes. */
const ADDITIONS = [
  {
    group: 'batch',
    version: 'v1',
    from: 'v1beta1',
    resources: ['cronjobs'],
    kinds: /^(CronJob|JobTemplate)/,
  },
  {
    group: 'autoscaling',
    version: 'v2',
    from: 'v2beta2',
    resources: ['horizontalpodautoscalers'],
    kinds: /./,
  },
  {
    group: 'policy',
    version: 'v1',
    from: 'v1beta1',
    resources: ['poddisruptionbudgets'],
    kinds: /^(PodDisruptionBudget|Eviction)/,
  },
  { group: 'discovery.k8s.io', version: 'v1', from: 'v1beta1', resources: ['endpointslices'], kinds: /./ },
]

const API = 'io.k8s.api.'
const REF = '#/definitions/'
/** A reference, and not the field of that name that JSONSchemaProps has. */
const isRef = (key, value) => key === '$ref' && typeof value === 'string'
const packageOf = (group) => group.split('.')[0]

// --- schema.json -----------------------------------------------------------------------------------------

/** Definitions of alpha versions that no served resource uses. */
const UNSERVED = /^io\.k8s\.api\.[a-z]+\.v\d+alpha\d+\./

/** protobuf field order is the order of the Go fields, and so of the recorded JSON. */
function messageOf(name) {
  const [, path, kind] = /^io\.k8s\.(.*)\.([^.]+)$/.exec(name)
  return packages[`k8s.io.${path.replaceAll('-', '_')}`]?.[kind]
}

/**
 * Which field was seen before which, per definition, in the recorded objects: some Go fields do not stand in
 * the order of their protobuf numbers.
 */
const recorded = new Map()

function observe(ref, value) {
  if (value === null || typeof value !== 'object') return
  if (ref.items) {
    for (const item of value) observe(ref.items, item)
  } else if (ref.additionalProperties) {
    for (const item of Object.values(value)) observe(ref.additionalProperties, item)
  } else if (ref.$ref) {
    const name = ref.$ref.slice('#/definitions/'.length)
    const definition = definitions[name]
    if (!definition?.properties) return
    const known = Object.keys(value).filter((field) => field in definition.properties)
    if (!recorded.has(name)) recorded.set(name, new Map())
    const before = recorded.get(name)
    known.forEach((field, index) => {
      if (!before.has(field)) before.set(field, new Set())
      for (const earlier of known.slice(0, index)) before.get(field).add(earlier)
      observe(definition.properties[field], value[field])
    })
  }
}

for (const [path, list] of Object.entries(state)) {
  const [, group = '', version, name] = /^\/apis?\/(?:([^/]+)\/)?(v[^/]+)\/([^/]+)$/.exec(path)
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const kind = discovery[base]?.resources.find((r) => r.name === name)?.kind
  const definition = Object.keys(definitions).find((key) =>
    definitions[key]['x-kubernetes-group-version-kind']?.some(
      (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
    ),
  )
  if (definition) observe({ items: { $ref: `#/definitions/${definition}` } }, list.items)
}

/** The field of lowest rank of which nothing seen before it is still to come. */
function inRecordedOrder(fields, rank, before) {
  const left = fields.sort((a, b) => rank(a) - rank(b))
  const out = []
  while (left.length > 0) {
    const isFree = (field) => !left.some((other) => other !== field && before.get(field)?.has(other))
    const index = Math.max(left.findIndex(isFree), 0)
    out.push(...left.splice(index, 1))
  }
  return out
}

function ordered(name, { properties, ...rest }) {
  if (properties === undefined) return rest
  const message = messageOf(name) ?? {}
  const leads = { kind: -2, apiVersion: -1 }
  const isObject = 'kind' in properties && 'apiVersion' in properties && 'metadata' in properties
  const rank = (field) => {
    const number = message[field]?.[0]
    if (isObject && field in leads) return leads[field]
    // A field without a number is inlined in the message; Go writes inlined structs where they stand: first.
    return number ?? 0.5
  }
  const fields = inRecordedOrder(Object.keys(properties), rank, recorded.get(name) ?? new Map())
  return { ...rest, properties: Object.fromEntries(fields.map((field) => [field, properties[field]])) }
}

const schema = {}
for (const [name, definition] of Object.entries(definitions)) {
  if (!UNSERVED.test(name)) schema[name] = ordered(name, definition)
}
for (const { group, version, from, kinds } of ADDITIONS) {
  const [prefix, target] = [from, version].map((v) => `${API}${packageOf(group)}.${v}.`)
  const isCopied = (name) => name.startsWith(prefix) && kinds.test(name.slice(prefix.length))
  for (const name of Object.keys(schema).filter(isCopied)) {
    // References among the copied kinds move along; all others stay where they are.
    const resolved = JSON.parse(JSON.stringify(schema[name]), (key, value) =>
      isRef(key, value) && isCopied(value.slice(REF.length)) ? value.replace(prefix, target) : value,
    )
    for (const gvk of resolved['x-kubernetes-group-version-kind'] ?? []) {
      if (gvk.version === from && gvk.group === group) gvk.version = version
    }
    schema[`${target}${name.slice(prefix.length)}`] = resolved
  }
}
// discovery.k8s.io/v1 gave the beta's `topology` map up for fields of its own.
{
  const { topology, ...properties } = schema['io.k8s.api.discovery.v1.Endpoint'].properties
  schema['io.k8s.api.discovery.v1.Endpoint'].properties = {
    ...properties,
    deprecatedTopology: topology,
    zone: { type: 'string' },
  }
}

JSON.stringify(schema, (key, value) => {
  if (isRef(key, value) && !(value.slice(REF.length) in schema)) throw new Error(`${value} leads nowhere`)
  return value
})

// --- resources.json --------------------------------------------------------------------------------------

const columnsOf = new Map(
  tables.map(({ path, columnDefinitions }) => [
    path,
    columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority]),
  ]),
)

const definitionOf = new Map()
for (const [name, definition] of Object.entries(schema)) {
  for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
    const key = `${group}/${version}/${kind}`
    // DeleteOptions and WatchEvent list every group version; their own one is meta.
    if (!definitionOf.has(key)) definitionOf.set(key, name)
  }
}

const groups = [
  { name: '', versions: discovery['/api'].versions, preferred: 'v1' },
  ...discovery['/apis'].groups
    .filter(({ name }) => !isForeign(name))
    .map(({ name, versions, preferredVersion }) => ({
      name,
      versions: versions.map(({ version }) => version),
      preferred: preferredVersion.version,
    })),
]

const apiServices = new Map()
for (const { metadata, spec } of state['/apis/apiregistration.k8s.io/v1/apiservices'].items) {
  if (
    metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'] === 'onstart' &&
    !isForeign(spec.group ?? '')
  ) {
    apiServices.set(`${spec.group ?? ''}/${spec.version}`, spec)
  }
}

function resourcesOf(group, version) {
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const all = discovery[base].resources
  const patchTypes = (name, namespaced) =>
    paths[`${base}${namespaced ? '/namespaces/{namespace}' : ''}/${name}/{name}`]?.patch?.consumes
  return all
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs, shortNames, categories, storageVersionHash }) => ({
      group,
      version,
      name,
      kind,
      namespaced,
      verbs,
      ...(shortNames && { shortNames }),
      ...(categories && { categories }),
      ...(storageVersionHash && { storageVersionHash }),
      ...(patchTypes(name, namespaced) && { patchTypes: patchTypes(name, namespaced) }),
      subresources: all
        .filter((sub) => sub.name.startsWith(`${name}/`))
        .map((sub) => ({
          name: sub.name.slice(name.length + 1),
          kind: sub.kind,
          ...(sub.group && { group: sub.group }),
          ...(sub.version && { version: sub.version }),
          verbs: sub.verbs,
        })),
      columns: columnsOf.get(`${base}/${name}`) ?? [],
      definition: definitionOf.get(`${group}/${version}/${kind}`) ?? '',
    }))
}

const resources = []
for (const group of groups) {
  for (const version of group.versions) resources.push(...resourcesOf(group.name, version))
}
for (const { group, version, from, resources: names } of ADDITIONS) {
  const entry = groups.find(({ name }) => name === group)
  if (!entry.versions.includes(version)) {
    const stable = /^v\d+$/.test(version)
    // Stable before beta, as the newer servers order them; autoscaling/v1 stays the preferred one.
    const index = stable ? entry.versions.findIndex((v) => !/^v\d+$/.test(v)) : entry.versions.length
    entry.versions.splice(index === -1 ? entry.versions.length : index, 0, version)
    if (group !== 'autoscaling') entry.preferred = version
    const spec = apiServices.get(`${group}/${from}`)
    apiServices.set(`${group}/${version}`, { ...spec, version, versionPriority: spec.versionPriority + 10 })
  }
  for (const name of names) {
    const source = resources.find((r) => r.group === group && r.version === from && r.name === name)
    const definition = definitionOf.get(`${group}/${version}/${source.kind}`)
    if (!definition) throw new Error(`no definition for ${group}/${version} ${source.kind}`)
    resources.push({ ...source, version, definition })
  }
}
/** Discovery order: groups and versions as listed, resources by name. */
const inOrder = groups.flatMap(({ name: group, versions }) =>
  versions.flatMap((version) =>
    resources
      .filter((r) => r.group === group && r.version === version)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  ),
)

// --- bootstrap.json --------------------------------------------------------------------------------------

const BOOTSTRAPPED = 'kubernetes.io/bootstrapping'
const PRIORITY_CLASSES = new Set(['system-cluster-critical', 'system-node-critical'])
/** What the server sets itself when it writes an object. */
const ASSIGNED = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink']

/** Marks of the platform and of kubectl, which a fresh server does not have. */
const MARKS = /(^|[./])kubesphere\.io\/|^kubectl\.kubernetes\.io\//

/** Labels or annotations without marks; other fields as they are. */
function unmarked(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !MARKS.test(key)))
}

function fresh(path, keep) {
  return state[path].items.filter(keep).map((item) => {
    const { metadata, ...object } = item
    delete object.status
    const own = Object.entries(metadata).filter(([key]) => !ASSIGNED.includes(key))
    return { metadata: Object.fromEntries(own.map(([key, value]) => [key, unmarked(value)])), ...object }
  })
}
const rbac = (resource) =>
  fresh(`/apis/rbac.authorization.k8s.io/v1/${resource}`, ({ metadata }) => metadata.labels?.[BOOTSTRAPPED])
const flow = (resource) =>
  fresh(`/apis/flowcontrol.apiserver.k8s.io/v1beta1/${resource}`, ({ metadata }) =>
    metadata.managedFields?.some(({ manager }) => manager === 'api-priority-and-fairness-config-producer-v1'),
  )

const bootstrap = {
  // The rules of an aggregated role are gathered by a controller; a fresh server has none.
  clusterroles: rbac('clusterroles').map((role) => (role.aggregationRule ? { ...role, rules: null } : role)),
  clusterrolebindings: rbac('clusterrolebindings'),
  roles: rbac('roles'),
  rolebindings: rbac('rolebindings'),
  priorityclasses: fresh('/apis/scheduling.k8s.io/v1/priorityclasses', ({ metadata }) =>
    PRIORITY_CLASSES.has(metadata.name),
  ),
  flowschemas: flow('flowschemas'),
  prioritylevelconfigurations: flow('prioritylevelconfigurations'),
  apiservices: groups.flatMap(({ name, versions }) =>
    versions.flatMap((version) => {
      const spec = apiServices.get(`${name}/${version}`)
      // The aggregator does not register its own group.
      if (!spec && name === 'apiregistration.k8s.io') return []
      if (!spec) throw new Error(`no APIService recorded for ${name}/${version}`)
      return [
        {
          metadata: {
            name: `${version}.${name}`,
            labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
          },
          spec,
        },
      ]
    }),
  ),
}

// --- writing ---------------------------------------------------------------------------------------------

/** Messages of served packages only; example and test types are left out. */
const messages = Object.fromEntries(
  Object.entries(packages).filter(
    ([name]) => !/\.(testapigroup|example2?|audit|metrics)\.|alpha\d+$/.test(name),
  ),
)

mkdirSync(output, { recursive: true })
const files = {
  'schema.json': { definitions: schema },
  'resources.json': { groups, resources: inOrder },
  'protobuf.json': { packages: messages },
  'bootstrap.json': bootstrap,
}
for (const [name, content] of Object.entries(files)) {
  const text = `${JSON.stringify(content)}\n`
  writeFileSync(join(output, name), text)
  console.log(`config/kube/${name}: ${Math.round(text.length / 1024)} KiB`)
}

#!/usr/bin/env node
/**
 * Carries the platform's own first data over into config/, from the facts in ../shared. Run by a maintainer when
 * those change; the outputs are committed.
 *
 *   config/crds/<name>.json   custom resource definitions without descriptions, one line each; those of
 *                             monitoring.kubesphere.io and
 *                             notification.kubesphere.io are of release 3.4 and newer, and kept by hand
 *   config/roles/*.yaml       built-in roles, role templates and their bindings (release 3.2), by level
 *
 * The role files are YAML whose documents are written as JSON: `kubectl apply -f` takes them, and a start reads
 * them ten times faster than block style.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const shared = join(root, '..', 'shared')
const RELEASE = '3.2'

writeCrds(join(shared, 'golden', 'crds'), join(root, 'config', 'crds'))
writeRoles(
  parse(readFileSync(join(shared, 'reference', 'roles.yaml'), 'utf8')),
  join(root, 'config', 'roles'),
)

function writeCrds(from, to) {
  const isOurs = (name) => !/\.(notification|monitoring\.kubesphere)\./.test(name)
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(to).filter(isOurs)) rmSync(join(to, file))
  for (const file of readdirSync(from).filter((name) => name.endsWith('.yaml') && isOurs(name))) {
    const { apiVersion, kind, metadata, spec } = parse(readFileSync(join(from, file), 'utf8'))
    const { annotations = {}, labels, name } = metadata
    for (const key of Object.keys(annotations)) {
      if (!key.startsWith('api-approved')) delete annotations[key]
    }
    for (const version of spec.versions) dropDescriptions(version.schema?.openAPIV3Schema)
    const crd = {
      apiVersion,
      kind,
      metadata: {
        name,
        ...(labels && { labels }),
        ...(Object.keys(annotations).length > 0 && { annotations }),
      },
      spec: { ...spec, conversion: { strategy: 'None' }, preserveUnknownFields: undefined },
    }
    writeFileSync(join(to, `${name}.json`), `${JSON.stringify(crd)}\n`)
  }
}

/** Descriptions are strings; a property that happens to be called so is a schema. */
function dropDescriptions(schema) {
  if (schema === null || typeof schema !== 'object') return
  if (typeof schema.description === 'string') delete schema.description
  for (const inner of Object.values(schema)) dropDescriptions(inner)
}

function writeRoles({ roles, bindings }, to) {
  const files = {
    globalroles: [],
    globalrolebindings: [],
    clusterroles: [],
    workspaceroles: [],
    rolebases: [],
  }
  for (const record of roles.filter((role) => role.in.includes(RELEASE))) {
    if (record.base) files.rolebases.push(roleBase(record))
    else
      files[
        { global: 'globalroles', cluster: 'clusterroles', workspace: 'workspaceroles' }[record.level]
      ].push(role(record))
  }
  for (const { name, role: roleName, subjects, roleRefApiGroup } of bindings) {
    files.globalrolebindings.push({
      apiVersion: 'iam.kubesphere.io/v1alpha2',
      kind: 'GlobalRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: roleRefApiGroup, kind: 'GlobalRole', name: roleName },
      subjects: subjects.map((subject) => ({ apiGroup: 'iam.kubesphere.io', ...subject })),
    })
  }
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const [file, objects] of Object.entries(files)) {
    writeFileSync(join(to, `${file}.yaml`), objects.map(document).join('---\n'))
  }
}

function roleBase(record) {
  return {
    apiVersion: 'iam.kubesphere.io/v1alpha2',
    kind: 'RoleBase',
    metadata: {
      name: record.base,
      ...(record.scopes && {
        labels: Object.fromEntries(record.scopes.map((s) => [`scope.kubesphere.io/${s}`, ''])),
      }),
    },
    role: role(record),
  }
}

function role(record) {
  const iam = 'iam.kubesphere.io'
  const annotations = {
    ...(record.aggregates && { [`${iam}/aggregation-roles`]: JSON.stringify(record.aggregates) }),
    ...(record.dependencies && { [`${iam}/dependencies`]: JSON.stringify(record.dependencies) }),
    ...(record.module && { [`${iam}/module`]: record.module }),
    // The rules of the original's policy module, evaluated natively; see src/authorization/policy.ts.
    ...(record.policy && { [`${iam}/native-rules`]: 'own-user,own-membership,api-roots,tenant-read' }),
    ...(record.ui && { [`${iam}/role-template-rules`]: JSON.stringify(record.ui) }),
    ...(record.displayName && { 'kubesphere.io/alias-name': record.displayName }),
    ...(record.creator && { 'kubesphere.io/creator': record.creator }),
  }
  const labels = record.template === undefined ? {} : { [`${iam}/role-template`]: String(record.template) }
  return {
    ...{
      global: { apiVersion: `${iam}/v1alpha2`, kind: 'GlobalRole' },
      cluster: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
      workspace: { apiVersion: `${iam}/v1alpha2`, kind: 'WorkspaceRole' },
      project: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
    }[record.level],
    metadata: {
      name: record.name,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    rules: record.rules.map(({ groups, resources, verbs, urls, names }) => ({
      ...(urls === undefined && { apiGroups: groups, resources }),
      ...(names && { resourceNames: names }),
      ...(urls && { nonResourceURLs: urls }),
      verbs,
    })),
  }
}

/** JSON with lists of texts on one line, so that a rule can be read at a glance. */
function document(object) {
  const text = JSON.stringify(object, null, 2)
  return `${text.replace(/\[\n\s+("(?:[^"\\]|\\.)*"(?:,\n\s+"(?:[^"\\]|\\.)*")*)\n\s+\]/g, (_, items) => `[${items.replace(/,\n\s+/g, ', ')}]`)}\n`
}

/**
 * Namespaces: which workspace or DevOps project one belongs to decides who rules it, so that is not one of the
 * things its own administrators change.
 *
 * A namespace moves between workspaces when the caller may delete namespaces in the one it leaves and create them in
 * the one it enters. Having no workspace is a place of its own, ruled at cluster level.
 */
import { forbidden } from '../apimachinery/errors/index.js'
import { type KubeObject, type UserInfo } from '../apimachinery/meta/types.js'
import { type Place } from '../authorization/rights.js'
import { type GuardedWrite, type Policy } from '../serving/guard/policy.js'
import {
  CREATOR,
  DEVOPS_PROJECT,
  NAMESPACE,
  NAMESPACE_FINALIZER,
  PLATFORM_NAMESPACES,
  WORKSPACE,
} from '../tenancy/names.js'
import { TENANT_GROUP } from '../tenancy/resources.js'
import { type GuardDeps } from './deps.js'
import { annotation, changes, label } from './fields.js'

type Object = KubeObject | undefined

const RESOURCE = { group: '', resource: 'namespaces' }
const CLUSTER: Place = { level: 'cluster' }

export function namespacePolicy({ rights }: GuardDeps): Policy {
  /** The tenant API and the Kubernetes API both have namespaces, and stock roles name either. */
  async function may(caller: UserInfo, verb: string, name: string, place: Place): Promise<boolean> {
    for (const apiGroup of ['', TENANT_GROUP]) {
      if (await rights.can(caller, { verb, apiGroup, resource: 'namespaces', name }, place)) return true
    }
    return false
  }

  async function demand(write: GuardedWrite, verb: string, place: Place, why: string): Promise<void> {
    const { caller, name } = write
    if (await may(caller, verb, name, place)) return
    const where =
      place.level === 'workspace' ? `in the workspace "${place.workspace}"` : 'at the cluster scope'
    throw forbidden(RESOURCE, name, `User "${caller.name}" cannot ${verb} namespaces ${where}, and ${why}`)
  }

  /** @param whole ruled at cluster level: what is about more than workspaces */
  async function judge(write: GuardedWrite): Promise<KubeObject | undefined> {
    const { caller, name, before, after } = write
    if (after === undefined) {
      if (PLATFORM_NAMESPACES.has(name)) throw forbidden(RESOURCE, name, 'this namespace may not be deleted')
      return undefined
    }
    if (changes(workspaceOf, before, after)) await demandMove(write)
    for (const key of [DEVOPS_PROJECT, NAMESPACE]) {
      const value = label(after, key)
      if (value === label(before, key) || (key === NAMESPACE && value === name)) continue
      await demand(write, 'create', CLUSTER, `the label ${key} says what a namespace is`)
    }
    if (before === undefined) return withCreator(after, caller)
    // Both together would make the controller take the namespace for a new one, and its creator for its administrator.
    if (annotation(after, CREATOR) !== annotation(before, CREATOR))
      await demand(write, 'create', CLUSTER, `the annotation ${CREATOR} says who made a namespace`)
    if (hasFinalizer(before) && !hasFinalizer(after))
      await demand(write, 'create', CLUSTER, `the finalizer ${NAMESPACE_FINALIZER} is the platform's`)
    return undefined
  }

  async function demandMove(write: GuardedWrite): Promise<void> {
    const { before, after } = write
    const from = workspaceOf(before)
    const to = workspaceOf(after)
    const why = 'that is needed to move one'
    if (before !== undefined) await demand(write, from === '' ? 'update' : 'delete', placeOf(from), why)
    await demand(write, 'create', placeOf(to), why)
  }

  return { ...RESOURCE, judge }
}

/** "" for none; what is no name is as good as none, and the API refuses it. */
function workspaceOf(namespace: Object): string {
  const workspace = label(namespace, WORKSPACE)
  return typeof workspace === 'string' ? workspace : ''
}

function placeOf(workspace: string): Place {
  return workspace === '' ? CLUSTER : { level: 'workspace', workspace }
}

/** Whoever is named becomes an administrator, so nobody is named but who asks. */
function withCreator(namespace: KubeObject, caller: UserInfo): KubeObject | undefined {
  const named = annotation(namespace, CREATOR)
  if (named === undefined || named === caller.name) return undefined
  const { metadata } = namespace
  return {
    ...namespace,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [CREATOR]: caller.name } },
  }
}

function hasFinalizer(namespace: KubeObject): boolean {
  const { finalizers } = namespace.metadata
  return Array.isArray(finalizers) && finalizers.includes(NAMESPACE_FINALIZER)
}

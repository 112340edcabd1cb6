/**
 * Writes of single bindings, in a workspace or a project: one role of that place, to one user or one group that are
 * there. The caller must hold what the role says.
 */
import { invalidValue, required, unsupportedValue } from '../../../apimachinery/errors/faults.js'
import { badRequest, type FieldFault, invalid } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta, type UserInfo } from '../../../apimachinery/meta/types.js'
import { type Place } from '../../../authorization/rights.js'
import { BINDING_LEVELS, namespaceOf } from '../../../tenancy/bindinglevels.js'
import { GROUP_REF, USER_REF, WORKSPACE } from '../../../tenancy/names.js'
import { type BindingObject, type RoleObject, type Subject } from '../../../tenancy/types.js'
import { wholly } from '../../../tenancy/undo.js'
import { type IamDeps } from './deps.js'
import { GroupAccess } from './groupaccess.js'

/** A binding as a client describes it. */
export interface BindingRequest {
  metadata: ObjectMeta
  subjects: readonly Subject[]
  roleRef: { apiGroup?: string; kind?: string; name: string }
}

export interface BindingWrite {
  place: Place & { level: 'workspace' | 'namespace' }
  caller: UserInfo
  dryRun: boolean
}

const SUBJECT_KINDS = ['User', 'Group']

export class RoleBindingWrites {
  readonly #access: GroupAccess

  constructor(private readonly deps: Pick<IamDeps, 'resources' | 'membership' | 'rights' | 'book'>) {
    this.#access = new GroupAccess(deps)
  }

  /** All of them, or none. @throws StatusError 400, 403, 404, 409 or 422 */
  async create(write: BindingWrite, requests: readonly BindingRequest[]): Promise<BindingObject[]> {
    const { place, caller, dryRun } = write
    const { resources, membership, rights } = this.deps
    const { roleKind, bindings: bindingsOf } = BINDING_LEVELS[place.level]
    const bindings = bindingsOf(resources)
    const wanted: BindingObject[] = []
    for (const request of requests) {
      const subject = this.#subject(place, request)
      const role = await membership.role(place, request.roleRef.name)
      await rights.demandGrant(caller, roleKind, role, place)
      wanted.push(bindingOf(place, request, subject))
    }
    return wholly(async (undo) => {
      const created: BindingObject[] = []
      for (const binding of wanted) {
        const written = await bindings.create(binding, { dryRun })
        const { name = '', uid = '' } = written.metadata
        const options = { namespace: namespaceOf(place), preconditions: { uid } }
        if (!dryRun) undo.push(() => bindings.delete(name, options))
        created.push(written)
      }
      return created
    })
  }

  /** @throws StatusError 403, 404 */
  async delete({ place, caller, dryRun }: BindingWrite, name: string): Promise<void> {
    const { resources, rights } = this.deps
    const { bindings: bindingsOf } = BINDING_LEVELS[place.level]
    const bindings = bindingsOf(resources)
    const namespace = namespaceOf(place)
    const binding = bindings.get(name, namespace)
    const isHere = place.level !== 'workspace' || binding?.metadata.labels?.[WORKSPACE] === place.workspace
    if (!binding || !isHere) throw bindings.missing(name)
    const isOwn = binding.subjects?.every(({ kind, name: user }) => kind === 'User' && user === caller.name)
    const role = this.#boundRole(binding, namespace)
    if (role && !isOwn) await rights.demandGrant(caller, role.kind, role.role, place)
    const { uid = '' } = binding.metadata
    await bindings.delete(name, { namespace, dryRun, preconditions: { uid } })
  }

  /** @throws StatusError 404 or 422 */
  #subject(place: BindingWrite['place'], { metadata, subjects, roleRef }: BindingRequest): Subject {
    const { resources } = this.deps
    const { roleKind, bindingKind, bindings } = BINDING_LEVELS[place.level]
    const [subject, ...more] = subjects
    const faults: FieldFault[] = []
    if ((roleRef.kind ?? roleKind) !== roleKind)
      faults.push(unsupportedValue('roleRef.kind', roleRef.kind, [roleKind]))
    if (!subject) faults.push(required('subjects', 'one subject is required'))
    else if (!SUBJECT_KINDS.includes(subject.kind))
      faults.push(unsupportedValue('subjects[0].kind', subject.kind, SUBJECT_KINDS))
    if (more.length > 0) faults.push(invalidValue('subjects', subjects.length, 'one subject is allowed'))
    if (!subject || faults.length > 0) {
      const { group } = bindings(resources).type
      throw invalid({ group, kind: bindingKind }, metadata.name ?? '', faults)
    }
    if (subject.kind === 'User') resources.users.require(subject.name)
    else this.#access.group(this.#workspaceOf(place), subject.name)
    return subject
  }

  #workspaceOf(place: BindingWrite['place']): string {
    if (place.level === 'workspace') return place.workspace
    return this.deps.resources.namespaces.get(place.namespace)?.metadata.labels?.[WORKSPACE] ?? ''
  }

  #boundRole({ roleRef }: Readonly<BindingObject>, namespace: string) {
    const level = Object.values(BINDING_LEVELS).find(({ roleKind }) => roleKind === roleRef.kind)
    const role: Readonly<RoleObject> | undefined = level
      ?.roles(this.deps.resources)
      .get(roleRef.name, level.roleKind === 'Role' ? namespace : '')
    return level && role && { kind: level.roleKind, role }
  }
}

/** What of the metadata says whose the binding is, is not the client's to say. */
function bindingOf(place: BindingWrite['place'], request: BindingRequest, subject: Subject): BindingObject {
  const { roleKind, apiGroup } = BINDING_LEVELS[place.level]
  const { roleRef, metadata } = request
  const namespace = namespaceOf(place)
  if (metadata.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest('the namespace of the object does not match the namespace on the URL')
  const { [USER_REF]: _, [GROUP_REF]: __, ...labels } = metadata.labels ?? {}
  return {
    metadata: {
      ...(metadata.name !== undefined
        ? { name: metadata.name }
        : { generateName: `${subject.name}-${roleRef.name}-` }),
      ...(namespace !== '' && { namespace }),
      labels: {
        ...labels,
        [subject.kind === 'User' ? USER_REF : GROUP_REF]: subject.name,
        ...(place.level === 'workspace' && { [WORKSPACE]: place.workspace }),
      },
      ...(metadata.annotations && { annotations: metadata.annotations }),
    },
    subjects: [subject],
    roleRef: { apiGroup: roleRef.apiGroup ?? apiGroup, kind: roleKind, name: roleRef.name },
  }
}

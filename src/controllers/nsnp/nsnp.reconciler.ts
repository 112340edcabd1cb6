/**
 * Keeps the network policies of a project: the one that isolates it, and those made of the project's own policies.
 *
 * The latter belong to what they are made of, and go with it.
 */
import { equal } from '../../apimachinery/json/value.js'
import { type OwnerReference } from '../../apimachinery/meta/types.js'
import {
  type Reconciler,
  type Request,
  type Result,
  type Stored,
  TerminalError,
} from '../../controller/index.js'
import { WORKSPACE } from '../../tenancy/names.js'
import { type NamespaceObject, type WorkspaceObject } from '../../tenancy/types.js'
import { converted, type Services } from './conversion.js'
import { isolationOf, isolationPolicy } from './isolation.js'
import {
  ISOLATION,
  type NamespaceNetworkPolicyObject,
  type NetworkPolicyObject,
  type NetworkPolicySpec,
  PREFIX,
} from './types.js'

export interface NetworkIsolationDeps {
  namespaces: Pick<Stored<NamespaceObject>, 'get'>
  workspaces: Pick<Stored<WorkspaceObject>, 'get'>
  projectPolicies: Pick<Stored<NamespaceNetworkPolicyObject>, 'list' | 'delete'>
  policies: Pick<Stored<NetworkPolicyObject>, 'get' | 'create' | 'commit' | 'delete'>
  ownerFor: (policy: Readonly<NamespaceNetworkPolicyObject>) => OwnerReference
  services: Services
  nodeAddresses: () => readonly string[]
  allowed: readonly string[]
}

export class NetworkIsolationReconciler implements Reconciler {
  constructor(private readonly deps: NetworkIsolationDeps) {}

  async reconcile({ name }: Request, signal: AbortSignal): Promise<Result> {
    const { deps } = this
    const namespace = deps.namespaces.get(name)
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return
    const workspace = namespace.metadata.labels?.[WORKSPACE]
    const isolation = isolationOf(
      namespace,
      workspace === undefined ? undefined : deps.workspaces.get(workspace),
    )
    const projectPolicies = [...deps.projectPolicies.list(name)].filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )
    if (isolation !== 'namespace' && workspace !== undefined)
      for (const policy of projectPolicies) await deps.projectPolicies.delete(policy, signal)

    if (isolation === undefined) {
      const left = deps.policies.get(ISOLATION, name)
      if (left) await deps.policies.delete(left, signal)
      return
    }
    const own = isolation === 'namespace' ? projectPolicies : []
    const hasEgress = own.some(({ spec }) => spec?.egress !== undefined)
    const { services, allowed } = deps
    const dns = { service: services('kube-dns', 'kube-system') ?? services('coredns', 'kube-system') }
    const surroundings = { allowed, nodeAddresses: deps.nodeAddresses(), ...(hasEgress && { dns }) }
    await this.#ensure(
      ISOLATION,
      name,
      isolationPolicy(namespace, isolation, surroundings),
      undefined,
      signal,
    )
    await this.#convert(own, name, signal)
  }

  /** One that cannot be converted does not hold up the others. */
  async #convert(
    policies: readonly Readonly<NamespaceNetworkPolicyObject>[],
    namespace: string,
    signal: AbortSignal,
  ): Promise<void> {
    const faults: string[] = []
    for (const policy of policies) {
      const { name = '' } = policy.metadata
      try {
        if (PREFIX + name === ISOLATION) throw new TerminalError('the name is taken by the isolation itself')
        const spec = converted(policy, this.deps.services)
        await this.#ensure(PREFIX + name, namespace, spec, this.deps.ownerFor(policy), signal)
      } catch (error) {
        if (!(error instanceof TerminalError)) throw error
        faults.push(`${name}: ${error.message}`)
      }
    }
    if (faults.length > 0) throw new TerminalError(`policies without effect: ${faults.join('; ')}`)
  }

  async #ensure(
    name: string,
    namespace: string,
    spec: NetworkPolicySpec,
    owner: OwnerReference | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { policies } = this.deps
    const found = policies.get(name, namespace)
    const ownerReferences = owner ? [owner] : undefined
    if (found === undefined) {
      const metadata = { name, namespace, ...(ownerReferences && { ownerReferences }) }
      return policies.create({ metadata, spec }, signal)
    }
    if (equal(found.spec, spec) && equal(found.metadata.ownerReferences, ownerReferences)) return
    const metadata = { ...found.metadata, ...(ownerReferences && { ownerReferences }) }
    await policies.commit(found, { ...found, metadata, spec }, signal)
  }
}

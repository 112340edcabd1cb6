/**
 * Asks an Open Policy Agent server about the policy modules of platform-level roles.
 *
 * The module of a role is loaded under a package of its own and its `allow` is queried with the request's
 * attributes, in the PascalCase form such modules are written for. Whatever goes wrong allows nothing and is
 * logged; a refusal because of an unreachable server never becomes an error of the request.
 */
import { createHash } from 'node:crypto'
import { type Attributes } from './interface.js'
import { type Logger } from '../serving/log.js'

export interface OpaClient {
  allows(role: { kind: string; name: string }, module: string, attributes: Attributes): Promise<boolean>
}

export interface OpaOptions {
  /** Base address, `http://127.0.0.1:8181`. */
  endpoint: string
  logger: Logger
  timeoutMs?: number
}

/** `data.authz.allow` is what modules define; another package would never be asked. */
const PACKAGE = /^([^\S\n]*)package[^\S\n]+authz[^\S\n]*(#.*)?$/m

export function opaClient({ endpoint, logger, timeoutMs = 2_000 }: OpaOptions): OpaClient {
  const base = endpoint.replace(/\/+$/, '')
  const loaded = new Map<string, Promise<boolean>>()

  const send = async (method: string, path: string, type: string, body: string): Promise<Response> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { 'Content-Type': type },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok) throw new Error(`policy server answered ${response.status}: ${await response.text()}`)
    return response
  }

  const load = async (id: string, role: { kind: string; name: string }, module: string): Promise<boolean> => {
    if (!PACKAGE.test(module)) {
      logger.warn({ kind: role.kind, name: role.name }, 'policy module of a role is not in package authz')
      return false
    }
    try {
      await send('PUT', `/v1/policies/${id}`, 'text/plain', module.replace(PACKAGE, `$1package roles.${id}`))
      return true
    } catch (error) {
      loaded.delete(id) // The next request tries again.
      logger.warn({ kind: role.kind, name: role.name, error }, 'policy module of a role could not be loaded')
      return false
    }
  }

  return {
    async allows(role, module, attributes) {
      const id = `m${createHash('sha256').update(module).digest('hex').slice(0, 32)}`
      let loading = loaded.get(id)
      if (loading === undefined) {
        loading = load(id, role, module)
        loaded.set(id, loading)
      }
      if (!(await loading)) return false
      try {
        const body = JSON.stringify({ input: inputOf(attributes) })
        const response = await send('POST', `/v1/data/roles/${id}/allow`, 'application/json', body)
        const answer = (await response.json()) as { result?: unknown }
        // A server that was restarted has forgotten the module and answers without a result.
        if (answer.result === undefined) loaded.delete(id)
        return answer.result === true
      } catch (error) {
        loaded.delete(id)
        logger.warn(
          { kind: role.kind, name: role.name, error },
          'policy module of a role could not be evaluated',
        )
        return false
      }
    },
  }
}

function inputOf({ user, ...attributes }: Attributes): Record<string, unknown> {
  return {
    User: { Name: user.name, UID: user.uid ?? '', Groups: user.groups, Extra: user.extra ?? null },
    Verb: attributes.verb,
    Cluster: attributes.cluster,
    Workspace: attributes.workspace,
    Namespace: attributes.namespace,
    DevOps: attributes.devops,
    APIGroup: attributes.apiGroup,
    APIVersion: attributes.apiVersion,
    Resource: attributes.resource,
    Subresource: attributes.subresource,
    Name: attributes.name,
    KubernetesRequest: attributes.isKubernetesRequest,
    ResourceRequest: attributes.isResourceRequest,
    Path: attributes.path,
    ResourceScope: attributes.resourceScope,
  }
}

/**
 * The admission plugins, in the order of Kubernetes 1.20.
 *
 * Webhook registrations are stored; nothing calls them yet, and whoever creates one is told so.
 */
import { type Rbac } from '../authorization/rbac.js'
import { escalationCheck } from '../authorization/escalation.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin } from '../registry/strategy.js'
import { namespaceLifecycle } from './namespacelifecycle.js'

export interface AdmissionOptions {
  /** Names of plugins that are left out: `ServiceAccount`, `LimitRanger`, ... */
  disabled?: readonly string[]
}

/** @throws Error for a name that is no plugin */
export function admissionPlugins(
  objects: Objects,
  rbac: Rbac,
  { disabled = [] }: AdmissionOptions = {},
): AdmissionPlugin[] {
  const plugins = [namespaceLifecycle(objects)]
  const unknown = disabled.find((name) => !plugins.some((plugin) => plugin.name === name))
  if (unknown !== undefined) throw new Error(`admission: there is no plugin ${unknown}`)
  // Not a plugin of the genuine server, where it is part of the RBAC storage: it cannot be left out.
  return [...plugins.filter(({ name }) => !disabled.includes(name)), escalationCheck(rbac)]
}

/**
 * The admission plugins, in the order of Kubernetes 1.20. Each can be left out by its name.
 */
import { type Rbac } from '../authorization/rbac.js'
import { escalationCheck } from '../authorization/escalation.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin, type Catalogue } from '../registry/strategy.js'
import { type Logger } from '../server/interfaces.js'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.js'
import { defaultIngressClass } from './ingressclass.js'
import { limitRanger } from './limitranger.js'
import { namespaceLifecycle } from './namespacelifecycle.js'
import { nodeTaint } from './nodetaint.js'
import { priority } from './priority.js'
import { resourceQuota } from './resourcequota.js'
import { runtimeClass } from './runtimeclass.js'
import { serviceAccount } from './serviceaccount.js'
import { defaultTolerationSeconds } from './tolerations.js'
import { claimResize, defaultStorageClass, storageObjectInUseProtection } from './volumes.js'
import { webhookPlugins } from './webhooks/index.js'

export interface AdmissionOptions {
  /** Names of plugins that are left out: `ServiceAccount`, `LimitRanger`, ... */
  disabled?: readonly string[]
}

export interface AdmissionDeps {
  /** Plugins of whoever embeds the API; asked before quotas, which keep others waiting from then on. */
  more: readonly AdmissionPlugin[]
  objects: Objects
  catalogue: Catalogue
  rbac: Rbac
  logger: Logger
  /** Webhooks that need not be called, by name: they run in this process. */
  runsHere?: (webhook: string) => boolean
}

export interface Admission {
  plugins: AdmissionPlugin[]
  /** Stops following webhook configurations and counting for quotas. */
  close(): void
}

/** @throws Error for a name that is no plugin */
export function createAdmission(deps: AdmissionDeps, { disabled = [] }: AdmissionOptions = {}): Admission {
  const { objects, rbac } = deps
  const builtin = [
    namespaceLifecycle(objects),
    limitRanger(objects),
    serviceAccount(objects),
    nodeTaint,
    priority(objects),
    defaultTolerationSeconds,
    defaultStorageClass(objects),
    storageObjectInUseProtection,
    claimResize(objects),
    runtimeClass(objects),
    certificateApproval(rbac),
    certificateSigning(rbac),
    certificateSubjectRestriction,
    defaultIngressClass(objects),
  ].filter(({ name }) => !disabled.includes(name))
  const webhooks = webhookPlugins(deps, builtin)
  const hooks = [webhooks.mutating, webhooks.validating].filter(({ name }) => !disabled.includes(name))
  const quotas = resourceQuota(objects)
  const last = disabled.includes(quotas.name) ? [] : [quotas]
  const unknown = disabled.find((name) => !PLUGINS.includes(name))
  if (unknown !== undefined) throw new Error(`admission: there is no plugin ${unknown}`)
  return {
    // The check is no plugin of the genuine server, where it is part of the RBAC storage: it cannot be left out.
    plugins: [...builtin, ...hooks, escalationCheck(rbac), ...deps.more, ...last],
    close() {
      webhooks.close()
      quotas.close()
    },
  }
}

const PLUGINS: readonly string[] = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'TaintNodesByCondition',
  'Priority',
  'DefaultTolerationSeconds',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
]

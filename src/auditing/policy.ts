/**
 * What is recorded, by the Webhook object `kube-auditing-webhook` that administrators write.
 *
 * Without the object, what is meant for the archive is recorded all the same, writes alone and without their bodies:
 * so that there is something to find before anybody has thought of auditing. The level None turns it off.
 */
import { type CachedObject, type InformerSet } from '../client/cache/interface.js'
import { type AuditLevel, auditLevel } from '../serving/audit.js'
import { type RequestInfo } from '../serving/requestinfo.types.js'

interface Policy {
  /** Undefined: the object is not there. */
  level: AuditLevel | undefined
  kubernetesAudited: boolean
}

const WEBHOOKS = { group: 'auditing.kubesphere.io', version: 'v1alpha1', resource: 'webhooks' }
const NAME = 'kube-auditing-webhook'
const ABSENT: Policy = { level: undefined, kubernetesAudited: false }
const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch'])

export class AuditPolicy {
  readonly #informer
  #known: CachedObject | undefined
  #policy = ABSENT

  constructor(informers: Pick<InformerSet, 'informer'>) {
    this.#informer = informers.informer(WEBHOOKS)
  }

  get kubernetesAudited(): boolean {
    return this.#current().kubernetesAudited
  }

  /** For those who want all that the object asks for, as the receiver of the webhook does. */
  level(): AuditLevel {
    return this.#current().level ?? 'None'
  }

  /** For archives: what only looks is left out, as the receiver's rules leave it out. */
  archivedLevel({ verb, isResourceRequest }: RequestInfo): AuditLevel {
    if (READS.has(verb)) return 'None'
    const { level } = this.#current()
    return level ?? (isResourceRequest ? 'Metadata' : 'None')
  }

  /** Asked for every request: the object is read anew only when it has changed. */
  #current(): Policy {
    const cached = this.#informer.store.get('', NAME)
    if (cached === this.#known) return this.#policy
    this.#known = cached
    this.#policy = cached ? policyOf(this.#informer.store.object<WebhookObject>(cached)) : ABSENT
    return this.#policy
  }
}

interface WebhookObject {
  metadata: object
  spec?: { auditLevel?: unknown; k8sAuditingEnabled?: unknown }
}

function policyOf({ spec }: Readonly<WebhookObject>): Policy {
  const word = spec?.auditLevel
  return {
    level: auditLevel(typeof word === 'string' ? word : undefined),
    kubernetesAudited: spec?.k8sAuditingEnabled === true,
  }
}

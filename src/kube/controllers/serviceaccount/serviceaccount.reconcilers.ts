/**
 * Service accounts: every namespace has `default`, every account a token Secret as in Kubernetes 1.20, and token
 * Secrets that somebody made are filled.
 */
import { type Reconciler, type Request } from '../../../controller/index.js'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type ServiceAccountTokens } from '../../authentication/serviceaccounts.js'
import { type Random } from '../../registry/random.js'
import { type Objects } from '../../objects.js'
import { type Writer } from '../writer.js'

export interface ServiceAccountDeps {
  objects: Objects
  writer: Writer
  tokens: ServiceAccountTokens
  /** Certificate authority of the API server, PEM. */
  caPem: string
  random: Random
}

const TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

interface ServiceAccount extends KubeObject {
  secrets?: { name: string }[]
}

interface Secret extends KubeObject {
  type?: string
  data?: Record<string, string>
}

const isEnding = (object: KubeObject | undefined): boolean =>
  object === undefined || object.metadata.deletionTimestamp !== undefined

/** Gives a namespace its account `default` and the authority's certificate. Requests name namespaces. */
export class NamespaceDefaults implements Reconciler {
  constructor(private readonly deps: ServiceAccountDeps) {}

  async reconcile({ name: namespace }: Request, signal: AbortSignal): Promise<void> {
    const { objects, writer, caPem } = this.deps
    if (isEnding(objects.get('', 'namespaces', '', namespace))) return
    if (!objects.get('', 'serviceaccounts', namespace, 'default')) {
      await writer.createMissing(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
        signal,
      )
    }
    if (!objects.get('', 'configmaps', namespace, 'kube-root-ca.crt')) {
      await writer.createMissing(
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'kube-root-ca.crt', namespace },
          data: { 'ca.crt': caPem },
        },
        signal,
      )
    }
  }
}

/** Requests name service accounts. */
export class TokenReconciler implements Reconciler {
  constructor(private readonly deps: ServiceAccountDeps) {}

  async reconcile({ namespace, name }: Request, signal: AbortSignal): Promise<void> {
    const { objects, writer } = this.deps
    const account = objects.get<ServiceAccount>('', 'serviceaccounts', namespace, name)
    const secrets = this.#secretsOf(namespace, name)
    if (account === undefined || isEnding(account)) {
      const kind = writer.definition('', 'v1', 'secrets')
      for (const { metadata } of secrets)
        await writer.delete(kind, namespace, metadata.name ?? '', {}, signal)
      return
    }
    for (const secret of secrets) await this.#fill(account, secret, signal)
    const listed = new Set((account.secrets ?? []).map((reference) => reference.name))
    if (secrets.some(({ metadata }) => listed.has(metadata.name ?? ''))) return
    if (isEnding(objects.get('', 'namespaces', '', namespace))) return
    const secretName = secrets[0]?.metadata.name ?? (await this.#createSecret(account, signal))
    await writer.update(
      writer.definition('', 'v1', 'serviceaccounts'),
      namespace,
      name,
      (current) => {
        const next = current as ServiceAccount
        next.secrets = [
          ...(next.secrets ?? []).filter((each) => each.name !== secretName),
          { name: secretName },
        ]
        return next
      },
      { signal },
    )
  }

  #secretsOf(namespace: string, account: string): Secret[] {
    return this.deps.objects
      .list<Secret>('', 'secrets', namespace)
      .filter(({ type, metadata }) => type === TYPE && metadata.annotations?.[ACCOUNT_NAME] === account)
  }

  async #createSecret({ metadata }: ServiceAccount, signal: AbortSignal): Promise<string> {
    const { writer } = this.deps
    const { name = '', namespace = '', uid = '' } = metadata
    const secretName = `${name}-token-${this.#suffix()}`
    await writer.create(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: TYPE,
        metadata: { name: secretName, namespace, annotations: { [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid } },
        data: this.#dataFor(metadata, secretName),
      },
      signal,
    )
    return secretName
  }

  async #fill({ metadata }: ServiceAccount, secret: Secret, signal: AbortSignal): Promise<void> {
    const { writer } = this.deps
    const { namespace = '', uid = '' } = metadata
    const secretName = secret.metadata.name ?? ''
    const owner = secret.metadata.annotations?.[ACCOUNT_UID]
    const complete =
      secret.data?.['token'] && secret.data['ca.crt'] && secret.data['namespace'] && owner === uid
    // A Secret of an earlier account of this name is not for this one.
    if (complete || (owner !== undefined && owner !== '' && owner !== uid)) return
    await writer.update(
      writer.definition('', 'v1', 'secrets'),
      namespace,
      secretName,
      (current) => {
        const next = current as Secret
        next.metadata.annotations = { ...next.metadata.annotations, [ACCOUNT_UID]: uid }
        next.data = { ...next.data, ...this.#dataFor(metadata, secretName) }
        return next
      },
      { signal },
    )
  }

  #dataFor(
    { name = '', namespace = '', uid = '' }: KubeObject['metadata'],
    secretName: string,
  ): Record<string, string> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    return {
      'ca.crt': base64(this.deps.caPem),
      namespace: base64(namespace),
      token: base64(this.deps.tokens.legacy({ namespace, name, uid }, secretName)),
    }
  }

  #suffix(): string {
    return Array.from(this.deps.random.uuid().replaceAll('-', '').slice(0, 10).match(/../g) ?? [])
      .map((pair) => LETTERS[parseInt(pair, 16) % LETTERS.length])
      .join('')
  }
}

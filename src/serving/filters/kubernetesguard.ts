/**
 * Applies policies to requests for the Kubernetes API before they are passed on.
 *
 * The proxy acts with the server's own rights, so what Kubernetes checks about a writer (nobody grants more than they
 * hold) is checked here, and what no client may read is taken out of answers. Resources without a policy pass
 * untouched and unbuffered.
 */
import { badRequest, methodNotAllowed } from '../../apimachinery/errors/index.js'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type BufferedResponse, type Transport } from '../../client/transport.js'
import { send } from '../answer.js'
import { type Exchange, type Filter, type Step } from '../exchange.js'
import { judgeCollection } from '../guard/collection.js'
import { acceptedForm, type Conceal, concealBody, concealEvents } from '../guard/concealment.js'
import { isWebSocketWatch, watchConcealed } from '../guard/concealedwatch.js'
import { type Policy, type PolicyTable } from '../guard/policy.js'
import { GuardedWrites } from '../guard/writes.js'
import { responseHeaders } from '../headers.js'
import { type Logger } from '../log.js'
import { type Rewriting } from '../rewriting.js'
import { answering } from '../unreachable.js'

export interface KubernetesGuardOptions {
  policies: PolicyTable
  upstream: Transport
  logger: Logger
}

export function kubernetesGuard({ policies, upstream, logger }: KubernetesGuardOptions): Filter {
  const writes = new GuardedWrites(upstream)

  const policyFor = ({ info }: Exchange): Policy | undefined =>
    info.isKubernetesRequest && info.isResourceRequest ? policies.of(info.apiGroup, info.resource) : undefined

  async function guard(exchange: Exchange, policy: Policy, next: () => Promise<void>): Promise<void> {
    const { verb } = exchange.info
    if (isJudged(policy, verb)) {
      refuseUpgrade(exchange)
      if (verb === 'deletecollection') {
        await answering(exchange, logger, () => judgeCollection(exchange, policy, upstream))
      } else {
        const rewriting = rewritingOf(exchange, policy)
        return answering(exchange, logger, async () => {
          const accept = rewriting?.accept ?? exchange.request.headers.accept ?? 'application/json'
          sendOn(exchange, await writes.run(exchange, policy, accept), rewriting)
        })
      }
    }
    if (policy.conceal && isWebSocketWatch(exchange))
      return answering(exchange, logger, () =>
        watchConcealed(exchange, concealing(policy, exchange.user), upstream),
      )
    const rewriting = rewritingOf(exchange, policy)
    if (rewriting) {
      refuseUpgrade(exchange)
      exchange.rewriting = rewriting
    }
    return next()
  }

  return {
    name: 'kubernetes guard',
    handle(exchange, next) {
      if (isDisguised(exchange)) throw methodNotAllowed()
      const policy = policyFor(exchange)
      return policy === undefined ? next() : guard(exchange, policy, next)
    },
    async explain(exchange): Promise<Step> {
      const policy = policyFor(exchange)
      if (policy === undefined) return { outcome: 'continues', summary: 'no policy for this resource' }
      const parts = [
        ...(isJudged(policy, exchange.info.verb) ? ['the object is compared before and after'] : []),
        ...(policy.conceal ? ['secrets are taken out of the answer'] : []),
      ]
      return { outcome: 'continues', summary: parts.join(', ') || 'the policy does not concern this verb' }
    },
  }
}

const JUDGED = {
  create: ['create'],
  update: ['update'],
  patch: ['create', 'update'],
  delete: ['delete'],
  deletecollection: ['delete'],
} as const

function isJudged(policy: Policy, verb: string): boolean {
  const { indifferentTo = [] } = policy
  // A patch can copy what may not be read.
  if (policy.conceal !== undefined && verb === 'patch') return true
  if (policy.judge === undefined || !Object.hasOwn(JUDGED, verb)) return false
  return JUDGED[verb as keyof typeof JUDGED].some((each) => !indifferentTo.includes(each))
}

/** `/watch/` in a path makes any method a watch to the authorizer. Nobody serves that, and nobody should. */
function isDisguised({ info, request: { method } }: Exchange): boolean {
  return info.verb === 'watch' && info.isKubernetesRequest && method !== 'GET' && method !== 'HEAD'
}

/** Frames of foreign streams cannot be looked into, and hold no write. */
function refuseUpgrade({ upgrade }: Exchange): void {
  if (upgrade) throw badRequest('this resource is not served over upgraded connections')
}

const concealing =
  (policy: Policy, caller: UserInfo): Conceal =>
  (object) =>
    policy.conceal?.(object, caller)

/** @throws StatusError 406 */
function rewritingOf({ request, info, user }: Exchange, policy: Policy): Rewriting | undefined {
  if (policy.conceal === undefined) return undefined
  const conceal = concealing(policy, user)
  const form = acceptedForm(request.headers.accept, info.verb === 'watch')
  return {
    accept: form.accept,
    ...(form.yaml && { contentType: 'application/yaml' }),
    begin: () => (info.verb === 'watch' ? concealEvents(conceal) : concealBody(conceal, form)),
  }
}

function sendOn(exchange: Exchange, answer: BufferedResponse, rewriting: Rewriting | undefined): void {
  const { status, headers, body } = answer
  const kept = responseHeaders(headers)
  delete kept['content-length']
  if (rewriting === undefined || status >= 300) return send(exchange.response, status, kept, body)
  if (rewriting.contentType !== undefined) kept['content-type'] = rewriting.contentType
  const rewriter = rewriting.begin()
  const out = [rewriter.push(body), rewriter.end()].filter((part) => part !== undefined)
  send(exchange.response, status, kept, Buffer.concat(out))
}

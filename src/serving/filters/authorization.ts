/**
 * Lets pass what the path rules or the authorizer allow, and refuses everything else with 403.
 *
 * Path rules come first and look at the path as received: they hold for any method and cannot be reached
 * through a cluster prefix.
 */
import { StatusError } from '../../apimachinery/errors/index.js'
import { attributesOf } from '../../authorization/authorizer.js'
import { type Attributes, type Authorizer, type Decision } from '../../authorization/interface.js'
import { escapeHtml } from '../answer.js'
import { type Exchange, type Filter } from '../exchange.js'

export interface PathRule {
  /** A path, or a prefix ending in `/*`. */
  path: string
  /** `authenticated`: whoever has shown good credentials. */
  who: 'anyone' | 'authenticated'
}

/** Liveness and metrics are public by design: probes and scrapers have no account. */
export const PATH_RULES: readonly PathRule[] = [
  { path: '/oauth/*', who: 'anyone' },
  { path: '/kapis/config.kubesphere.io/*', who: 'anyone' },
  { path: '/kapis/version', who: 'anyone' },
  { path: '/kapis/metrics', who: 'anyone' },
  { path: '/metrics', who: 'anyone' },
  { path: '/healthz', who: 'anyone' },
  { path: '/livez', who: 'anyone' },
  { path: '/readyz', who: 'anyone' },
  { path: '/apidocs', who: 'anyone' },
  { path: '/apidocs/openapi.json', who: 'authenticated' },
]

export function authorization(authorizer: Authorizer, rules: readonly PathRule[] = PATH_RULES): Filter {
  return {
    name: 'authorization',
    handle(exchange, next) {
      const pass = (): Promise<void> => {
        exchange.allowed = true
        return next()
      }
      const obey = (decision: Decision): Promise<void> => {
        if (!decision.allowed) throw refusal(exchange, decision)
        return pass()
      }
      if (matchingRule(rules, exchange)) return pass()
      const asked = authorizer.authorize(attributesIn(exchange))
      return asked instanceof Promise ? asked.then(obey) : obey(asked)
    },
    async explain(exchange) {
      const rule = matchingRule(rules, exchange)
      if (rule) {
        const summary = `allowed by the path rule ${rule.path} for ${rule.who}`
        return { outcome: 'continues', summary, detail: { allowed: true, rule } }
      }
      const decision = await authorizer.explain(attributesIn(exchange))
      if (decision.allowed) {
        return { outcome: 'continues', summary: `allowed: ${decision.explanation.text}`, detail: decision }
      }
      const { message } = refusal(exchange, decision)
      const summary = `403: ${message} (${decision.explanation.text})`
      return { outcome: 'answers', summary, detail: decision }
    },
  }
}

/** The first rule that covers the path, whoever asks. */
export function ruleFor(rules: readonly PathRule[], path: string): PathRule | undefined {
  return rules.find((rule) =>
    rule.path.endsWith('*') ? path.startsWith(rule.path.slice(0, -1)) : rule.path === path,
  )
}

function matchingRule(rules: readonly PathRule[], { info, user }: Exchange): PathRule | undefined {
  const rule = ruleFor(rules, info.path)
  return rule && (rule.who === 'anyone' || user.groups.includes('system:authenticated')) ? rule : undefined
}

/** What talks both ways over an upgraded connection is no read, whatever the resource; logs have nothing to hear. */
function attributesIn({ info, user, upgrade }: Exchange): Attributes {
  const attributes = attributesOf(info, user)
  if (upgrade && info.isKubernetesRequest && info.verb === 'get' && info.subresource !== 'log')
    return { ...attributes, verb: 'create' }
  return attributes
}

/** The wording of kube-apiserver; the workspace scope is called the cluster scope too. */
function refusal({ info, user }: Exchange, { reason }: Decision): StatusError {
  const { apiGroup: group, resource, name, namespace, subresource } = info
  const why = reason === '' ? '' : `: ${reason}`
  let message: string
  let details = {}
  if (info.isResourceRequest) {
    const qualified = group === '' ? resource : `${resource}.${group}`
    const subject = qualified === '' ? '' : `${qualified} ${name === '' ? '' : `"${name}" `}is `
    const whole = subresource === '' ? resource : `${resource}/${subresource}`
    const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
    message = `${subject}forbidden: User "${user.name}" cannot ${info.verb} resource "${whole}" in API group "${group}" ${where}${why}`
    details = {
      ...(name !== '' && { name }),
      ...(group !== '' && { group }),
      ...(resource !== '' && { kind: resource }),
    }
  } else {
    message = `forbidden: User "${user.name}" cannot ${info.verb} path "${info.path}"${why}`
  }
  return new StatusError({ code: 403, reason: 'Forbidden', message: escapeHtml(message), details })
}

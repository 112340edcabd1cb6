/** Tells the audit backend, when there is one, what was asked and how it ended. */
import { type Clock } from '../../registry/clock.js'
import { type Filter } from '../chain.js'
import { type Exchange } from '../exchange.js'
import { type Audit, type AuditEvent } from '../interfaces.js'

export function auditFilter(audit: Audit | undefined, clock: Clock): Filter {
  return {
    name: 'audit',
    handle(exchange, next) {
      if (!audit) return next()
      const receivedAt = clock.now()
      const user = exchange.user
      audit(eventOf(exchange, 'RequestReceived', user, receivedAt))
      exchange.onEnd(() => audit(eventOf(exchange, 'ResponseComplete', user, receivedAt)))
      return next()
    },
  }
}

function eventOf(
  exchange: Exchange,
  stage: AuditEvent['stage'],
  user: AuditEvent['user'],
  receivedAt: number,
): AuditEvent {
  const { requestInfo } = exchange
  const { resource, subresource, namespace, name, apiGroup, apiVersion } = requestInfo
  return {
    id: exchange.id,
    stage,
    verb: requestInfo.verb,
    path: exchange.request.path,
    user,
    ...(exchange.impersonator && { impersonatedUser: exchange.user }),
    sourceIP: exchange.request.sourceIP,
    userAgent: exchange.header('user-agent'),
    ...(requestInfo.resourceRequest && {
      object: { resource, subresource, namespace, name, apiGroup, apiVersion },
    }),
    ...(exchange.status !== 0 && { code: exchange.status }),
    receivedAt,
  }
}

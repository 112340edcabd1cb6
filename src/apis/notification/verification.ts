/**
 * Verification: asks the notification manager to send a test message to a receiver that need not be stored. The paths
 * and the refusals of v3.2 and of v3.4 differ.
 */
import { badRequest, type StatusError } from '../../apimachinery/errors/index.js'
import { isObject } from '../../apimachinery/json/index.js'
import { parseJson } from '../../serving/body.js'
import { JSON_TYPE } from '../../listing/page.js'
import { Reply, route, type Route } from '../../serving/route.js'
import { TYPE_LABEL, USER_LABEL } from '../../notification/objects/kinds.js'
import { type Verifier } from './deps.js'
import { notOwned, type Owner } from './ownership.js'

export function verificationRoutes(verifier: Verifier): Route[] {
  const verify = async (
    body: unknown,
    owner: Owner,
    refuse: Refusal,
    signal: AbortSignal,
  ): Promise<Reply> => {
    let request: unknown
    const bytes = body instanceof Uint8Array ? body : new Uint8Array()
    try {
      request = parseJson(bytes)
      if (!isObject(request)) throw badRequest('the body must be an object')
    } catch (error) {
      return said(400, 400, (error as Error).message)
    }
    const refused = refusalOf(request['receiver'], owner)
    if (refused) return refuse(refused)
    try {
      const { Status, Message } = await verifier.verify(bytes, signal)
      return said(200, Status, Message)
    } catch {
      // Where the manager is, and why it does not answer, is for the operator: it is in the log.
      return said(500, 500, 'the notification manager does not answer')
    }
  }
  return [
    route({
      method: 'POST',
      path: '/verification',
      summary: 'Send a test message to a receiver for everybody.',
      access: 'authorized',
      consumes: ['*/*'],
      handle: ({ body, signal }) => verify(body, undefined, inStatus, signal),
    }),
    route({
      method: 'POST',
      path: '/users/{user}/verification',
      summary: 'Send a test message to a receiver of a user.',
      access: 'authorized',
      consumes: ['*/*'],
      handle: ({ body, params, signal }) => verify(body, params.user, inStatus, signal),
    }),
    route({
      method: 'POST',
      path: '/configs/notification/verification',
      summary: 'As /verification, for clients of v3.2.',
      access: 'authorized',
      consumes: ['*/*'],
      handle: ({ body, signal }) => verify(body, undefined, inMessage, signal),
    }),
    route({
      method: 'POST',
      path: '/configs/notification/users/{user}/verification',
      summary: 'As /users/{user}/verification, for clients of v3.2.',
      access: 'authorized',
      consumes: ['*/*'],
      handle: ({ body, params, signal }) => verify(body, params.user, inMessage, signal),
    }),
  ]
}

type Refusal = (error: StatusError) => Reply

const inMessage: Refusal = () => said(200, 403, 'Permission denied')

const inStatus: Refusal = (error) => {
  const { kind: _, apiVersion: _ignored, ...status } = error.status()
  return new Reply(400, JSON_TYPE, JSON.stringify({ ErrStatus: status }))
}

function said(code: number, Status: number, Message: string): Reply {
  return new Reply(code, JSON_TYPE, JSON.stringify({ Status, Message }))
}

/** A receiver without labels belongs to nobody, and is refused. */
function refusalOf(receiver: unknown, owner: Owner): StatusError | undefined {
  const { kind, metadata } = isObject(receiver) ? receiver : {}
  const { labels } = isObject(metadata) ? metadata : {}
  const { [TYPE_LABEL]: type, [USER_LABEL]: user } = isObject(labels) ? labels : {}
  const isOwned = owner === undefined ? type === 'global' : type === 'tenant' && user === owner
  return isOwned ? undefined : notOwned(typeof kind === 'string' ? kind : '', owner)
}

/** A transport whose requests are made by a given user where they name none. */
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Transport } from '../client/transport.js'

export function withUser(transport: Transport, user: UserInfo): Transport {
  return {
    dispatch: (request, sink) => transport.dispatch(request.user ? request : { ...request, user }, sink),
    upgrade: (request, signal) => transport.upgrade(request.user ? request : { ...request, user }, signal),
    close: () => transport.close(),
  }
}

/** The platform itself, towards the embedded API. */
export const PLATFORM_USER: UserInfo = {
  name: 'system:platform',
  groups: ['system:masters', 'system:authenticated'],
}

/** Errors that only this server answers. */
import { StatusError } from '../../apimachinery/errors/index.js'

/** For what discovery announces and nothing here can do. */
export function notImplemented(what: string): StatusError {
  return new StatusError({ code: 501, reason: '', message: what })
}

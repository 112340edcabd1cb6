/** How failures of writes are answered, where clients know other codes than those of the Kubernetes API. */
import { badRequest, StatusError } from '../../../apimachinery/errors/index.js'
import { type ObjectMeta } from '../../../apimachinery/meta/types.js'

/** Of these the original makes 400, and clients of it tell them from others by nothing else. */
const TAKEN_OR_INVALID = new Set([409, 422])

/** Creating: a name that is taken, and an object that is not valid, are 400. */
export async function creating<T>(creation: Promise<T>): Promise<T> {
  try {
    return await creation
  } catch (error) {
    if (!(error instanceof StatusError) || !TAKEN_OR_INVALID.has(error.code)) throw error
    const { reason, message, details } = error
    throw new StatusError({ code: 400, reason, message, details }, { cause: error })
  }
}

/** @throws StatusError 400; the Kubernetes API would answer 500 */
export function demandNew({ resourceVersion }: ObjectMeta): void {
  if (resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
}

/** No object has such a name, and no path can be made of it. */
export function isAddressable(name: string): boolean {
  return name !== '' && !/[/%]|^\.\.?$/.test(name)
}

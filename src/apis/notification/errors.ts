/** Failures as clients of the original know them: 404, 409 for a stale version, and 400 for all else of theirs. */
import { StatusError } from '../../apimachinery/errors/index.js'

export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const { code, reason, message, details } = error
    const isKept = code === 404 || reason === 'Conflict' || code >= 500 || code === 429 || code === 400
    if (isKept) throw error
    throw new StatusError({ code: 400, reason, message, details }, { cause: error })
  }
}

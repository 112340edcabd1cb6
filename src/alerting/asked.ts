/** What a ruler fails with, as clients are told. */
import { PrometheusError } from '../integrations/prometheus/types.js'
import { serverFault } from './rulers.js'

/** @throws StatusError 500 with what went wrong */
export async function asked<T>(question: Promise<T>): Promise<T> {
  try {
    return await question
  } catch (error) {
    if (error instanceof PrometheusError) throw serverFault(error.message, { cause: error })
    throw error
  }
}

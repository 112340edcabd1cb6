/** When a namespace was created, from the cache, or from the API when it is newer than the cache. */
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { canBeName } from '../client/rest.js'
import { type TenancyResources } from '../tenancy/resources.js'

/** @throws StatusError 400 also for a namespace that does not exist, as clients of the original know it */
export async function birthOf(
  name: string,
  { namespaces }: Pick<TenancyResources, 'namespaces'>,
  signal: AbortSignal,
): Promise<Date> {
  if (!canBeName(name)) throw badRequest(namespaces.missing(name).message)
  try {
    const { metadata } = namespaces.get(name) ?? (await namespaces.client.get(name, { signal }))
    return new Date(metadata.creationTimestamp ?? 0)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw badRequest(error.message)
  }
}

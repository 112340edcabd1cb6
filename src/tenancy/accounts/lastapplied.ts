/**
 * What `kubectl apply` keeps of an object in an annotation: all of it as it was sent, of users with the password or its
 * hash. Installers of the original make users that way.
 */
import { isObject } from '../../apimachinery/json/index.js'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The same annotations, of which none tells a password. */
export function withoutApplied<T extends Readonly<Record<string, string>>>(annotations: T): T {
  const text = annotations[LAST_APPLIED]
  return text === undefined ? annotations : { ...annotations, [LAST_APPLIED]: withoutPassword(text) }
}

function withoutPassword(text: string): string {
  try {
    const user: unknown = JSON.parse(text)
    if (isObject(user) && isObject(user['spec'])) delete user['spec']['password']
    return `${JSON.stringify(user)}\n`
  } catch {
    return '' // Whatever it is, kubectl has not written it.
  }
}

/** Walks all declared routes of a server as callers who may do nothing. */
import { expect } from 'vitest'
import { everyRoute } from '../../src/serving/everyroute.js'
import { type ApiGroup } from '../../src/serving/route.js'
import { request } from './harness.js'

/**
 * Proves that every route refuses anonymous callers and `powerless`, unless it declares that it does not.
 *
 * @param powerless headers of a user without any role
 * @returns how many routes were walked
 */
export async function expectRefusals(
  port: number,
  groups: readonly ApiGroup[],
  powerless: Record<string, string>,
  known: (method: string, path: string) => boolean = () => false,
): Promise<number> {
  const wrong: string[] = []
  const routes = everyRoute(groups)
  for (const { route, example } of routes) {
    const { method, access } = route
    if (access === 'public') continue
    const anonymous = await request(port, method, example)
    if (anonymous.status !== 403) wrong.push(`${method} ${example}: anonymous got ${anonymous.status}`)
    if (access === 'authenticated' || known(method, example)) continue
    const refused = await request(port, method, example, { headers: powerless })
    if (refused.status !== 403) wrong.push(`${method} ${example}: powerless got ${refused.status}`)
  }
  expect(wrong).toEqual([])
  return routes.length
}

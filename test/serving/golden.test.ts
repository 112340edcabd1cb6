/**
 * The recorded answers to requests that need no data: refusals, redirects and version. The groups here only
 * declare which routes there are.
 */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiGroup, type HttpMethod, route } from '../../src/serving/route.js'
import { type Harness, start } from './harness.js'

interface Recording {
  id: string
  request: { method: string; path: string; user: string | null; headers?: Record<string, string> }
  response: { status: number; headers: Record<string, string>; text?: string; json?: unknown }
}

const FILE = new URL('../../../shared/golden/base.json', import.meta.url)
const available = existsSync(FILE)

/** Ours answers these differently on purpose. */
const BETTER: Record<string, string> = {
  '/healthz': 'is public here: probes have no account',
  '/livez': 'exists here',
  '/readyz': 'exists here',
}

const recordings = available
  ? (JSON.parse(readFileSync(FILE, 'utf8')) as { entries: Recording[] }).entries.filter(
      ({ request, response }) =>
        response.status !== 401 &&
        (response.status !== 200 || request.path.startsWith('/kapis/version')) &&
        !(request.path in BETTER),
    )
  : []

function declare(root: string, routes: Record<string, HttpMethod[]>): ApiGroup {
  const declared = Object.entries(routes).flatMap(([path, methods]) =>
    methods.map((method) =>
      route({
        method,
        path,
        summary: 'Declared.',
        access: root.includes('config.') ? 'public' : 'authorized',
        handle: () => ({}),
      }),
    ),
  )
  return { root, title: root, errors: 'text', routes: declared }
}

describe.skipIf(!available)(
  available
    ? 'recorded refusals and redirects'
    : 'recorded refusals (skipped: no recordings beside the repository)',
  () => {
    let platform: Harness
    beforeAll(async () => {
      platform = await start({
        groups: [
          declare('/kapis/iam.kubesphere.io/v1alpha2', {
            '/users': ['GET', 'POST'],
            '/users/{user}': ['GET', 'PUT', 'DELETE'],
          }),
          declare('/kapis/resources.kubesphere.io/v1alpha3', { '/{resources}': ['GET'] }),
          declare('/kapis/config.kubesphere.io/v1alpha2', { '/configs/configz': ['GET'] }),
        ],
      })
    })
    afterAll(() => platform.close())

    it.each(recordings)('$id: $request.method $request.path', async ({ request, response }) => {
      const answer = await platform.send(request.method, request.path, {
        ...(request.user !== null && { user: request.user }),
        headers: { Accept: '*/*', ...request.headers },
      })

      expect(answer.status).toBe(response.status)
      expect(answer.headers['content-type']).toBe(response.headers['Content-Type'])
      for (const name of ['Location', 'Allow']) {
        expect(answer.headers[name.toLowerCase()]).toBe(response.headers[name])
      }
      if (response.text !== undefined) expect(answer.text).toBe(response.text)
      else if (response.status !== 200 && request.method !== 'HEAD')
        expect(answer.json()).toEqual(response.json)
    })
  },
)

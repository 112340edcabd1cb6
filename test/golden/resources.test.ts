/**
 * The recorded lists and objects of resources.kubesphere.io/v1alpha3, answered from caches that hold the recorded
 * state. The same groups are replayed against the whole product in `product.test.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type KubeObject } from '../../src/apimachinery/meta/types.js'
import { createKindStores, resourcesGroup } from '../../src/apis/resources/v1alpha3/index.js'
import { type CacheOptions, type Informer, type InformerSet } from '../../src/client/cache/interface.js'
import { IndexedStore } from '../../src/client/cache/store.js'
import { createPlatformHandler } from '../../src/serving/platform.js'
import { SILENT } from '../../src/serving/log.js'
import { createServer, type HttpServer } from '../../src/serving/server.js'
import { MEANT } from './meant.js'
import { judge, replay } from './replay.js'
import { HAVE_GOLDEN, WITHOUT_GOLDEN, goldenPath, readGolden } from './shared.js'

type Lists = Record<string, { items?: KubeObject[] }>

/** Informers that hold the recorded lists and never change. */
function recordedInformers(lists: Lists, definitions: readonly KubeObject[]): InformerSet {
  const informers = new Map<string, Informer<never>>()
  return {
    informer<Fields>(
      resource: { group: string; version: string; resource: string },
      options?: CacheOptions<Fields>,
    ) {
      const path = listPath(resource)
      let informer = informers.get(path) as Informer<Fields> | undefined
      if (!informer) {
        const store = new IndexedStore<Fields>(options)
        const items =
          resource.resource === 'customresourcedefinitions' ? definitions : (lists[path]?.items ?? [])
        for (const item of items) store.upsert(item, Buffer.from(JSON.stringify(item)))
        informer = { store, synced: true, whenSynced: async () => {}, onChange: () => () => {} }
        informers.set(path, informer as unknown as Informer<never>)
      }
      return informer
    },
    *status() {},
    async close() {},
  }
}

function definitions(): KubeObject[] {
  const folder = goldenPath('crds')
  return readdirSync(folder).map((file) => parse(readFileSync(join(folder, file), 'utf8')) as KubeObject)
}

function listPath({
  group,
  version,
  resource,
}: {
  group: string
  version: string
  resource: string
}): string {
  return group === '' ? `/api/${version}/${resource}` : `/apis/${group}/${version}/${resource}`
}

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded resources answers' : `recorded resources answers ${WITHOUT_GOLDEN}`,
  () => {
    let server: HttpServer
    let base = ''

    beforeAll(async () => {
      const lists = readGolden<Lists>('state.json')
      const stores = createKindStores({
        informers: recordedInformers(lists, definitions()),
        serves: (resource) => lists[listPath(resource)] !== undefined,
        now: () => new Date(),
      })
      const platform = createPlatformHandler({
        authenticator: { authenticate: () => ({ name: 'admin', groups: ['system:authenticated'] }) },
        authorizer: {
          authorize: () => ({ allowed: true, reason: '' }),
          explain: async () => ({ allowed: true, reason: '', explanation: { text: 'all' } }),
        },
        upstream: {
          dispatch: () => ({ abort() {}, resume() {} }),
          upgrade: () => Promise.reject(new Error('none')),
          close: async () => {},
        },
        groups: [resourcesGroup(stores)],
        metrics: new Registry(),
        logger: SILENT,
      })
      server = createServer({ handler: platform.handle, logger: SILENT })
      const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
      base = `http://127.0.0.1:${port}`
    })

    afterAll(() => server.close(0))

    it.each(['resources-v1alpha3-kinds', 'resources-v1alpha3-filters'])(
      '%s match to 95 %%',
      async (group) => {
        const [result] = await replay({ base, groups: [group] })

        const { share, remaining } = judge(
          result ?? { group, total: 0, ok: 0, statusOk: 0, differences: [] },
          MEANT,
        )
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(0.95)
      },
    )
  },
)

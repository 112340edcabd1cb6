import { afterEach, describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { type Kube, startKube } from '../kube/index.js'
import { CachedResource } from './cachedresource.js'
import { RestClient } from './rest.js'
import { PLATFORM } from './writer.js'

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }

let kube: Kube | undefined
afterEach(() => kube?.close())

/** A resource whose cache hears of nothing by itself. */
async function behind() {
  kube = await startKube()
  const informers = new LiteralInformers()
  const client = new RestClient({ transport: kube.transport, user: PLATFORM })
  const resource = new CachedResource(CONFIG_MAPS, informers, client)
  const cache = informers.informer(CONFIG_MAPS)
  return { resource, cache, client: client.resource(CONFIG_MAPS) }
}

describe('looking for an object', () => {
  it('that was created a moment ago waits until the cache has heard of it', async () => {
    const { resource, cache, client } = await behind()
    const created = await client.create({ metadata: { name: 'new', namespace: 'default' } })

    const finding = resource.find('new', 'default')
    setImmediate(() => cache.put(created))

    expect((await finding)?.metadata.uid).toBe(created.metadata.uid)
  })

  it.each(['nosuch', '..', 'a/b', ''])('that does not exist (%s) finds nothing', async (name) => {
    const { resource } = await behind()

    expect(await resource.find(name, 'default')).toBeUndefined()
  })
})

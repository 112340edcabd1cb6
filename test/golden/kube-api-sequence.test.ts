/**
 * The embedded Kubernetes API against 249 recorded answers of a genuine 1.20.2: defaults, faults, patches,
 * server-side apply, deletion, selectors, reviews.
 */
import { describe, expect, it } from 'vitest'
import { builtinResources } from '../../src/kube/builtin/index.js'
import { createCatalogue } from '../../src/kube/registry/catalogue.js'
import { createKubeServer } from '../../src/kube/server/index.js'
import { createMemoryStorage } from '../../src/kube/storage/memory/index.js'
import { replaySequence, sequence } from './sequence.js'
import { HAVE_GOLDEN, WITHOUT_GOLDEN } from './shared.js'

const title = 'the recorded sequence of a genuine API'

describe.skipIf(!HAVE_GOLDEN)(HAVE_GOLDEN ? title : `${title} ${WITHOUT_GOLDEN}`, () => {
  it('is answered as recorded', async () => {
    const server = createKubeServer({
      storage: createMemoryStorage(),
      catalogue: createCatalogue(builtinResources()),
      authenticate: () => ({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }),
      authorize: () => ({ allowed: true, reason: '' }),
      admission: [],
      version: {
        ...{ major: '1', minor: '20', gitVersion: 'v1.20.2', gitCommit: '', gitTreeState: 'clean' },
        ...{ buildDate: '', goVersion: '', compiler: 'gc', platform: '' },
      },
    })

    const outcomes = await replaySequence(server.transport, sequence())

    const whole = outcomes.filter(({ difference }) => difference === undefined).length
    const status = outcomes.filter(({ entry, status }) => status === entry.response.status).length
    for (const { entry, difference } of outcomes) {
      if (difference !== undefined) console.log(`${entry.id} ${entry.desc}\n      ${difference}`)
    }
    console.log(`${whole} of ${outcomes.length} whole answers, ${status} by status`)
    expect(status / outcomes.length).toBeGreaterThanOrEqual(0.85)
    expect(whole / outcomes.length).toBeGreaterThanOrEqual(0.6)
  })
})

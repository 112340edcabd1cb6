/** What v3.4.1 answers and v3.2.1 does not, or differently: replayed on its own seed state, without controllers. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'
import { MEANT_34 } from './meant-v34.js'
import { judge, replay, type GroupResult } from './replay.js'
import { type Entry, goldenPath, HAVE_GOLDEN, isServed, readGolden, WITHOUT_GOLDEN } from './shared.js'

const DEFAULT = 'kubesphere.yaml'
const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }

let product: Product | undefined

afterEach(async () => {
  await product?.close()
  product = undefined
})

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded answers of v3.4' : `recorded answers of v3.4 ${WITHOUT_GOLDEN}`,
  () => {
    it.each([
      ['iam-3.4-read', 0.9, DEFAULT],
      ['iam-3.4-write', 0.9, DEFAULT],
      ['tenant-3.4-read', 0.9, DEFAULT],
      ['tenant-3.4-write', 0.9, DEFAULT],
      ['oauth-3.4', 0.9, DEFAULT],
      ['oauth-3.4-providers', 0.9, 'v3.4/kubesphere-extended.yaml'],
      ['oauth-single-login', 0.95, 'v3.4/kubesphere-single.yaml'],
      ['notification-v2beta2-read', 0.9, DEFAULT],
      ['notification-v2beta2-write', 0.9, DEFAULT],
    ])(
      '%s match to at least %d',
      async (group, least, config) => {
        product = await startProduct({
          state: goldenPath('v3.4/state.json'),
          crds: [goldenPath('crds'), goldenPath('v3.4/crds')],
          config: goldenPath(config),
          controllers: ['none'],
        })

        const [result = NONE] = await replay({
          base: product.url,
          groups: [group],
          directory: goldenPath('v3.4'),
        })

        const { entries } = readGolden<{ entries: Entry[] }>(`v3.4/${group}.json`)
        const unserved = entries.filter(({ request }) => !isServed(request.path))
        const { share, remaining } = judge(result, MEANT_34, new Set(unserved.map(({ id }) => id)))
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(least)
      },
      120_000,
    )
  },
)

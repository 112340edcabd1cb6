/** What v3.4.1 answers and v3.2.1 does not, or differently: replayed on its own seed state, without controllers. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'
import { MEANT_34 } from './meant-v34.js'
import { judge, replay, type GroupResult } from './replay.js'
import { goldenPath, HAVE_GOLDEN, WITHOUT_GOLDEN } from './shared.js'

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
      ['iam-3.4-read', 0.9],
      ['iam-3.4-write', 0.9],
      ['tenant-3.4-read', 0.9],
      ['tenant-3.4-write', 0.9],
    ])(
      '%s match to at least %d',
      async (group, least) => {
        product = await startProduct({
          state: goldenPath('v3.4/state.json'),
          crds: [goldenPath('crds'), goldenPath('v3.4/crds')],
          config: goldenPath('kubesphere.yaml'),
          controllers: ['none'],
        })

        const [result = NONE] = await replay({
          base: product.url,
          groups: [group],
          directory: goldenPath('v3.4'),
        })

        const { share, remaining } = judge(result, MEANT_34)
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(least)
      },
      120_000,
    )
  },
)

/**
 * Identity and tenancy as recorded: each group is replayed on the whole product, freshly restored, with its
 * controllers running.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'
import { MEANT } from './meant-iam.js'
import { judge, replay, type GroupResult } from './replay.js'
import { entriesOf, goldenPath, HAVE_GOLDEN, isServed, WITHOUT_GOLDEN } from './shared.js'

const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }

let product: Product | undefined

afterEach(async () => {
  await product?.close()
  product = undefined
})

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded identity and tenancy' : `recorded identity and tenancy ${WITHOUT_GOLDEN}`,
  () => {
    it.each([
      ['iam-read', 0.95],
      ['tenant-read', 0.95],
      ['authz', 0.95],
      ['iam-users-write', 0.9],
      ['iam-members-write', 0.9],
      ['iam-roles-write', 0.9],
      ['iam-self-update', 0.9],
      ['tenant-write', 0.9],
      ['notification-read', 0.95],
      ['notification-write', 0.9],
    ])(
      '%s matches to at least %d',
      async (group, least) => {
        product = await startProduct({
          state: goldenPath('state.json'),
          crds: goldenPath('crds'),
          config: goldenPath('kubesphere.yaml'),
        })

        const [result = NONE] = await replay({ base: product.url, groups: [group] })

        const unserved = entriesOf(group).filter(({ request }) => !isServed(request.path))
        const { share, remaining } = judge(result, MEANT, new Set(unserved.map(({ id }) => id)))
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(least)
      },
      120_000,
    )
  },
)

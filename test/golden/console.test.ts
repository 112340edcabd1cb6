/**
 * Whole sessions of the real web console: every entry whose API group is served here is asked again, in order, on the
 * freshly restored seed state.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'
import {
  isReadable,
  neverAsked,
  recorded,
  type StandIn,
  startStandIn,
  type Upstream,
} from '../fixtures/prometheus.js'
import { MEANT_CONSOLE } from './meant-console.js'
import { configFor } from './monitoringconfig.js'
import { idOf, replay, type GroupResult } from './replay.js'
import { goldenPath, HAVE_GOLDEN, isServed, readGolden, WITHOUT_GOLDEN, type Entry } from './shared.js'

const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }

let product: Product | undefined
let prometheus: StandIn | undefined

afterEach(async () => {
  await product?.close()
  await prometheus?.close()
  product = prometheus = undefined
})

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'sessions of the web console' : `sessions of the web console ${WITHOUT_GOLDEN}`,
  () => {
    it.each(['console-admin', 'console-member', 'console-plain-user', 'console-writes'])(
      '%s: all statuses are right, and nine of ten answers match whole',
      async (group) => {
        const { entries } = readGolden<{ entries: (Entry & { upstream?: Upstream[] })[] }>(
          `console/${group}.json`,
        )
        const counting = new Set(
          entries
            .filter(({ request, upstream = [] }) => isServed(request.path) && upstream.every(isReadable))
            .map(({ id }) => id),
        )
        prometheus = await startStandIn(recorded(entries))
        product = await startProduct({
          state: goldenPath('state.json'),
          crds: goldenPath('crds'),
          config: configFor(prometheus.url),
        })

        const [result = NONE] = await replay({
          base: product.url,
          groups: [group],
          directory: goldenPath('console'),
        })

        expect(neverAsked(entries, prometheus.asked)).toEqual([])
        const different = result.differences.filter(
          (text) => counting.has(idOf(text)) && MEANT_CONSOLE[idOf(text)] === undefined,
        )
        if (different.length > 0)
          console.log(`${group}: ${different.length} of ${counting.size} differ\n${different.join('\n')}`)
        expect(different.filter((text) => text.includes('status: want'))).toEqual([])
        expect(different.length / counting.size).toBeLessThanOrEqual(0.1)
      },
      180_000,
    )
  },
)

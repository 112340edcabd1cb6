/**
 * Monitoring and metering as recorded: each group is replayed on the whole product in front of a stand-in that gives
 * the recorded answers of Prometheus.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type Product, startProduct } from '../fixtures/product.js'
import { recorded, type StandIn, startStandIn, type Upstream } from '../fixtures/prometheus.js'
import { configFor } from './monitoringconfig.js'
import { MEANT_MONITORING } from './meant-monitoring.js'
import { judge, replay, type GroupResult } from './replay.js'
import { goldenPath, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }

let product: Product | undefined
let prometheus: StandIn | undefined

afterEach(async () => {
  await product?.close()
  await prometheus?.close()
  product = prometheus = undefined
})

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded monitoring' : `recorded monitoring ${WITHOUT_GOLDEN}`,
  () => {
    it.each(['monitoring', 'metering', 'monitoring-down'])(
      '%s matches to at least 95 of 100',
      async (group) => {
        const { entries } = readGolden<{ entries: { upstream?: Upstream[] }[] }>(`${group}.json`)
        prometheus = await startStandIn(recorded(entries))
        const endpoint = group === 'monitoring-down' ? 'http://127.0.0.1:9099' : prometheus.url
        product = await startProduct({
          state: goldenPath('state.json'),
          crds: goldenPath('crds'),
          config: configFor(endpoint),
        })

        const [result = NONE] = await replay({ base: product.url, groups: [group] })

        const { share, remaining } = judge(result, MEANT_MONITORING)
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(0.95)
      },
      120_000,
    )
  },
)

/** Alerting as recorded: each group is replayed on the whole product in front of the recorded answers of the rulers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { type Product, startProduct } from '../fixtures/product.js'
import { recorded, type StandIn, startStandIn, type Upstream } from '../fixtures/prometheus.js'
import { judge, type Meant, replay, type GroupResult } from './replay.js'
import { goldenPath, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }
const MEANT: Meant = {}

let product: Product | undefined
let rulers: StandIn | undefined
let scratch: string

afterEach(async () => {
  await product?.close()
  await rulers?.close()
  product = rulers = undefined
  rmSync(scratch, { recursive: true, force: true })
})

/** A recorded configuration, with the stand-in for Prometheus and for the Thanos ruler. */
function configFor(name: string, alerting: Record<string, string> | undefined): string {
  scratch = mkdtempSync(join(tmpdir(), 'orrery-alerting-'))
  const config = parse(readFileSync(goldenPath(name), 'utf8')) as Record<string, unknown>
  const file = join(scratch, 'kubesphere.yaml')
  writeFileSync(file, stringify({ ...config, ...(alerting && { alerting }) }))
  return file
}

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded alerting' : `recorded alerting ${WITHOUT_GOLDEN}`,
  () => {
    it.each([
      ['alerting-off', 0.95, ''],
      ['alerting', 0.9, ''],
      ['alerting-v2beta1', 0.9, 'v3.4/'],
      ['alerting-v2beta1-backend', 0.9, 'v3.4/'],
    ])(
      '%s matches to at least %d',
      async (group, least, release) => {
        const { entries } = readGolden<{ entries: { upstream?: Upstream[] }[] }>(`${release}${group}.json`)
        rulers = await startStandIn(recorded(entries))
        const backends = {
          prometheusEndpoint: rulers.url,
          thanosRulerEndpoint: rulers.url,
          thanosRuleResourceLabels: 'thanosruler=thanos-ruler,role=thanos-alerting-rules',
        }
        product = await startProduct({
          state: goldenPath(`${release}state.json`),
          crds: release === '' ? goldenPath('crds') : [goldenPath('crds'), goldenPath(`${release}crds`)],
          // What happened while v3.4 was recorded, happened without them.
          ...(release !== '' && { controllers: ['none'] }),
          config: configFor('kubesphere.yaml', /^alerting$|-backend$/.test(group) ? backends : undefined),
        })

        const [result = NONE] = await replay({
          base: product.url,
          groups: [group],
          directory: goldenPath(release),
        })

        const { share, remaining } = judge(result, MEANT)
        if (remaining.length > 0)
          console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
        expect(share).toBeGreaterThanOrEqual(least)
      },
      120_000,
    )
  },
)

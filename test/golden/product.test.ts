/**
 * The whole product on the restored seed state, asked what the original was asked.
 *
 * The state is restored with `orrery restore`'s own code, the server is that of `orrery up`, the replayer is the one
 * that comes with the recordings.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restore } from '../../src/cmd/backup.js'
import { type AllInOne, startAllInOne } from '../../src/cmd/up.js'
import { SILENT } from '../../src/serving/log.js'
import { MEANT } from './meant.js'
import { MEANT as MEANT_IAM } from './meant-iam.js'
import { judge, replay, type GroupResult } from './replay.js'
import { entriesOf, goldenPath, HAVE_GOLDEN, WITHOUT_GOLDEN } from './shared.js'

const NONE: GroupResult = { group: '', total: 0, ok: 0, statusOk: 0, differences: [] }

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'recorded answers of the original' : `recorded answers ${WITHOUT_GOLDEN}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'orrery-golden-'))
    let product: AllInOne

    beforeAll(async () => {
      await restore({ from: goldenPath('state.json'), dataDir: directory, crds: goldenPath('crds') })
      product = await startAllInOne(
        {
          dataDir: directory,
          memory: false,
          port: 0,
          bindAddress: '127.0.0.1',
          kubePort: 0,
          config: goldenPath('kubesphere.yaml'),
          nodes: 0,
          logLevel: 'error',
        },
        SILENT,
      )
    })

    afterAll(async () => {
      await product.close()
      rmSync(directory, { recursive: true, force: true })
    })

    it.each([
      ['proxy-read', 0.95],
      ['resources-v1alpha3-kinds', 0.95],
      ['resources-v1alpha3-filters', 0.95],
      ['base', 0.9],
      ['oauth', 0.9],
    ])('%s match to at least %d', async (group, least) => {
      const [result = NONE] = await replay({ base: product.url, groups: [group] })

      const { share, remaining } = judge(result, MEANT)
      if (remaining.length > 0)
        console.log(`${group}: ${(share * 100).toFixed(1)} %\n${remaining.join('\n')}`)
      expect(share).toBeGreaterThanOrEqual(least)
    })

    it('refuses in authz exactly what the original refuses', async () => {
      const wrong: string[] = []
      for (const { id, request, response } of entriesOf('authz')) {
        const answer = await fetch(`${product.url}${request.path}`, {
          method: request.method,
          headers: {
            ...(request.headers ?? {}),
            ...(request.user !== null && {
              authorization: `Bearer ${await tokenOf(request.user, product.url)}`,
            }),
          },
          redirect: 'manual',
        })
        const refused = (status: number): boolean => status === 401 || status === 403
        if (MEANT_IAM[id] === undefined && refused(answer.status) !== refused(response.status)) {
          wrong.push(
            `${id} ${request.user ?? 'anonymous'} ${request.path}: want ${response.status}, got ${answer.status}`,
          )
        }
        await answer.body?.cancel()
      }

      expect(wrong).toEqual([])
    })
  },
)

const tokens = new Map<string, string>()

async function tokenOf(user: string, base: string): Promise<string> {
  let token = tokens.get(user)
  if (token === undefined) {
    const form = {
      grant_type: 'password',
      username: user,
      password: 'P@88w0rd',
      client_id: 'kubesphere',
      client_secret: 'kubesphere',
    }
    const answer = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
    token = ((await answer.json()) as { access_token: string }).access_token
    tokens.set(user, token)
  }
  return token
}

/** helm 3.17 against the embedded API with a simulated node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKube, type TestKube } from 'orrery/kube'
import { hasKubeTools, runTool } from '../fixtures/kubetools.js'

const CHARTS = new URL('../fixtures/charts/', import.meta.url).pathname
let kube: TestKube
let home: string
beforeAll(async () => {
  kube = await startKube({ port: 0, nodes: 1 })
  home = mkdtempSync(join(tmpdir(), 'orrery-helm-'))
  writeFileSync(join(home, 'kubeconfig'), kube.kubeconfig ?? '')
})
afterAll(async () => {
  await kube.close()
  rmSync(home, { recursive: true, force: true })
})

async function helm(...args: string[]): Promise<string> {
  const { code, out, err } = await runTool('helm', args, { kubeconfig: join(home, 'kubeconfig'), home })
  expect(code, err + out).toBe(0)
  return out
}
const status = async (path: string, name: string): Promise<unknown> =>
  (await kube.resource(path).get(name, { namespace: 'default' }))['status']

describe.runIf(hasKubeTools)('helm', () => {
  it('installs, upgrades, rolls back and uninstalls a Deployment with hooks, and waits for it', async () => {
    expect(await helm('install', 'shop', `${CHARTS}web`, '--wait', '--timeout', '50s')).toContain(
      'STATUS: deployed',
    )
    expect(await status('apps/v1/deployments', 'shop')).toMatchObject({ availableReplicas: 2 })
    expect(await status('batch/v1/jobs', 'shop-pre-install')).toMatchObject({ succeeded: 1 })

    const settings = ['--set', 'replicas=3,image=nginx:1.22,greeting=servus']
    await helm('upgrade', 'shop', `${CHARTS}web`, ...settings, '--wait', '--timeout', '50s')
    expect(await status('apps/v1/deployments', 'shop')).toMatchObject({
      availableReplicas: 3,
      updatedReplicas: 3,
    })
    expect(await status('batch/v1/jobs', 'shop-post-upgrade')).toMatchObject({ succeeded: 1 })

    await helm('rollback', 'shop', '1', '--wait', '--timeout', '50s')
    expect(await kube.resource('apps/v1/deployments').get('shop', { namespace: 'default' })).toMatchObject({
      spec: { replicas: 2, template: { spec: { containers: [{ image: 'nginx:1.21' }] } } },
    })
    expect(await helm('history', 'shop')).toContain('Rollback to 1')

    await helm('uninstall', 'shop', '--wait', '--timeout', '50s')
    const left = async (): Promise<unknown[]> =>
      (await kube.resource('v1/pods').list({ namespace: 'default', labelSelector: 'app=shop' })).items
    await expect.poll(left, { timeout: 20_000 }).toEqual([])
  }, 180_000)

  it('installs a chart with custom resources of its own and a StatefulSet with claims', async () => {
    await helm('install', 'parts', `${CHARTS}widgets`, '--wait', '--timeout', '50s')

    expect(
      await kube.resource('example.com/v1/widgets').get('parts', { namespace: 'default' }),
    ).toMatchObject({
      spec: { size: 3, colour: 'blue' },
    })
    expect(await status('apps/v1/statefulsets', 'parts')).toMatchObject({ readyReplicas: 2 })
    expect(await status('v1/persistentvolumeclaims', 'data-parts-0')).toMatchObject({ phase: 'Bound' })
    const refused = await runTool('helm', ['upgrade', 'parts', `${CHARTS}widgets`, '--set', 'size=11'], {
      kubeconfig: join(home, 'kubeconfig'),
      home,
    })
    expect(refused.err).toContain('should be less than or equal to 10')
  }, 120_000)
})

import { expect, it } from 'vitest'
import { Manager } from './manager.js'

it('timers go off while a controller finds more and more to do', async () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const manager = new Manager({ clock: { now: () => 0, after: () => () => undefined }, logger: silent })
  let passes = 0
  manager.start({
    name: 'restless',
    reconciler: { reconcile: async () => ({ requeueAfter: passes++ < 1e7 ? 0 : 1 }) },
    sources: [
      (enqueue) => {
        enqueue({ namespace: '', name: 'x' })
        return () => undefined
      },
    ],
  })

  await new Promise((resolve) => setTimeout(resolve, 20))

  expect(passes).toBeGreaterThan(0)
  expect(passes).toBeLessThan(1e7)
  await manager.close()
})

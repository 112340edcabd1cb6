/** Acceptance of a server that is killed and started again: check 2. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { check, type Json, type Killable, startKillable } from './subject.js'

let kube: Killable
beforeAll(async () => {
  kube = await startKillable()
})
afterAll(() => kube?.close())

const WRITERS = 8

describe('a server that is killed', () => {
  check(
    2,
    'has every write that it acknowledged, and does not go back',
    async () => {
      const maps = `${await kube.namespace(`killed-${Date.now()}`)}/configmaps`
      /** What each map said when it was last acknowledged. */
      const acknowledged = new Map<string, { version: number; data: string }>()
      for (let round = 0; round < 3; round++) {
        let enough: () => void = () => {}
        const busy = new Promise<void>((resolve) => (enough = resolve))
        let written = 0
        const write = async (writer: number): Promise<void> => {
          for (let i = 0; ; i++) {
            const name = `r${round}-w${writer}-${i}`
            for (const data of ['created', 'updated']) {
              const answer = await (
                data === 'created'
                  ? kube.post(maps, { metadata: { name }, data: { is: data } })
                  : kube.patch(`${maps}/${name}`, { data: { is: data } })
              ).catch(() => undefined)
              if (!answer || answer.status >= 500) return
              expect(answer.status).toBe(data === 'created' ? 201 : 200)
              acknowledged.set(name, { version: Number(answer.json.metadata.resourceVersion), data })
              if (++written === 60) enough()
            }
          }
        }
        const writers = Array.from({ length: WRITERS }, (_none, writer) => write(writer))
        // In the midst of it: the writers go on until nobody answers.
        await Promise.race([busy, Promise.all(writers)])
        await kube.kill()
        await Promise.all(writers)
        await kube.restart()

        const { items, metadata } = (await kube.get(maps)).json
        const found = new Map((items as Json[]).map((each) => [each.metadata.name as string, each]))
        for (const [name, { version, data }] of acknowledged) {
          const kept = found.get(name)
          // The next write of the same writer may have been taken without a word.
          expect(Number(kept?.metadata.resourceVersion), name).toBeGreaterThanOrEqual(version)
          if (Number(kept.metadata.resourceVersion) === version) expect(kept.data.is).toBe(data)
          else expect(kept.data.is).toBe('updated')
        }
        const newest = Math.max(...[...acknowledged.values()].map(({ version }) => version))
        expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(newest)
        const next = await kube.post(maps, { metadata: { name: `after-${round}` } })
        expect(Number(next.json.metadata.resourceVersion)).toBeGreaterThan(newest)
      }
      expect(acknowledged.size).toBeGreaterThan(30)
    },
    { timeoutMs: 180_000 },
  )
})

/** Acceptance of the start, and of what a server says of a past that it has forgotten: checks 1, 21 and 25. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { check, startSubject, type Subject } from './subject.js'

let kube: Subject
let at: string
beforeAll(async () => {
  kube = await startSubject({ nodes: 0 })
  at = await kube.namespace('past')
})
afterAll(() => kube.close())

describe('the start', () => {
  check(1, 'leaves a kubeconfig with which kubectl is told the version', async () => {
    expect((await kube.get('/readyz')).text).toBe('ok')
    expect((await kube.kubectl('version')).out).toMatch(/^Server Version: v1\.20\.2/m)
  })
})

describe('a past that is forgotten', () => {
  check(21, 'ends pages with a token that goes on from now', async () => {
    for (const name of ['a', 'b', 'c']) await kube.post(`${at}/configmaps`, { metadata: { name } })
    const { json: first } = await kube.get(`${at}/configmaps?limit=1`)
    await kube.post(`${at}/configmaps`, { metadata: { name: 'd' } })
    await kube.forget()

    const token = encodeURIComponent(String(first.metadata.continue))
    const gone = await kube.get(`${at}/configmaps?limit=1&continue=${token}`)
    expect(gone).toMatchObject({ status: 410, json: { reason: 'Expired' } })
    const next = encodeURIComponent(String(gone.json.metadata.continue))
    const rest = await kube.get(`${at}/configmaps?continue=${next}`)
    expect(rest.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(
      expect.arrayContaining(['b', 'c', 'd']),
    )
  })

  check(
    25,
    'is told to a watch by one event',
    async () => {
      await kube.post(`${at}/configmaps`, { metadata: { name: 'e' } })
      await kube.forget()

      const watched = kube.watch(`${at}/configmaps?watch=1&resourceVersion=1`)
      await expect.poll(() => watched.ended).toBe(true)
      expect(watched.status).toBe(200)
      expect(watched.events).toMatchObject([
        { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
      ])
    },
    { newer: 'its cache of events, filled since it was started, still knows what the store has forgotten' },
  )
})

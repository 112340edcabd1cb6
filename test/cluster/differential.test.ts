/**
 * Rules of the built-in kinds against a genuine 1.20 server: valid objects, each changed in one place after another,
 * are created and updated on both servers as dry runs. Compared are the status, the reason, each cause with its field
 * and message, and what the object became by defaults.
 *
 * A part of the changes on most runs, all of them with ORRERY_FUZZ=1. ORRERY_DIFFERENCES=FILE writes down what differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject, parseApiVersion } from '../../src/apimachinery/meta/types.js'
import { createTransport } from '../../src/client/http.js'
import { parseKubeconfig } from '../../src/client/kubeconfig.js'
import { send, type Transport } from '../../src/client/transport.js'
import { resourceFacts } from '../../src/kube/builtin/data.js'
import { type Kube, startKube } from '../../src/kube/index.js'
import { validObjects } from '../fixtures/validobjects.js'
import { changesOf } from './changes.js'
import { comparable, firstDifference, type Json, likewise } from './comparable.js'
import { type RealCluster, realClusterAvailable, startRealCluster } from './realcluster.js'

const suite = describe.skipIf(!realClusterAvailable)
const ALL = Number(process.env['ORRERY_FUZZ'] ?? 0) > 0
/** One of so many changes is tried. */
const EVERY = ALL ? 1 : 12
const ONLY = process.env['ORRERY_KINDS']?.split(',')

interface Outcome {
  status: number
  /** What is compared besides. */
  said: unknown
}
interface Difference {
  kind: string
  verb: string
  place: string
  what: string
  real: unknown
  ours: unknown
}

let real: RealCluster
let kube: Kube
let genuine: Transport
beforeAll(async () => {
  ;[real, kube] = await Promise.all([
    startRealCluster({}),
    startKube({ memory: true, controllers: ['serviceaccount'] }),
  ])
  genuine = createTransport(parseKubeconfig(readFileSync(real.kubeconfig, 'utf8')))
})
afterAll(async () => {
  await genuine.close()
  await kube.close()
  await real.stop()
})

async function remove(transport: Transport, path: string): Promise<void> {
  const asAdmin = transport === kube.transport && { user: kube.adminUser }
  await send(transport, { method: 'DELETE', path, headers: {}, ...asAdmin })
}

async function call(
  transport: Transport,
  method: string,
  path: string,
  body?: unknown,
): Promise<Outcome & { json: Json }> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const answer = await send(transport, {
    method,
    path,
    headers: {
      'user-agent': 'difference',
      ...(bytes && { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
    },
    ...(bytes && { body: bytes }),
    ...(transport === kube.transport && { user: kube.adminUser }),
  })
  const json = JSON.parse(answer.body.toString()) as Json
  return { status: answer.status, said: comparable(json), json }
}

/** An update as a client sends it: on top of what the server has. */
function onTopOf(changed: unknown, live: Json): unknown {
  const object = structuredClone(changed) as KubeObject & { spec?: Json }
  if (typeof object.metadata !== 'object') return object
  object.metadata.resourceVersion = String((live['metadata'] as Json)['resourceVersion'])
  const given = live['spec'] as Json | undefined
  const { spec } = object
  if (object.kind === 'Service' && spec && !spec['clusterIP'] && given?.['clusterIP']) {
    spec['clusterIP'] = given['clusterIP']
    spec['clusterIPs'] ??= given['clusterIPs']
  }
  if (object.kind === 'Service' && spec && given?.['healthCheckNodePort'] !== undefined) {
    spec['healthCheckNodePort'] ??= given['healthCheckNodePort']
  }
  return object
}

function renamed(changed: unknown, was: string | undefined): unknown {
  const object = structuredClone(changed) as KubeObject
  // Of these two the name follows from the content.
  if (object.kind === 'CustomResourceDefinition' || object.kind === 'APIService') return object
  if (object.metadata?.name === was) object.metadata.name = `n${was ?? ''}`
  return object
}

suite(
  `the rules of built-in kinds${realClusterAvailable ? '' : ' SKIPPED: run scripts/build-kubernetes.sh first'}`,
  () => {
    it('are those of a genuine server', async () => {
      await call(genuine, 'POST', '/api/v1/namespaces/default/serviceaccounts', {
        metadata: { name: 'default' },
      })
      const differences: Difference[] = []
      let compared = 0
      const note = (
        about: Omit<Difference, 'real' | 'ours'>,
        [theirs, own]: readonly [Outcome, Outcome],
      ): void => {
        compared++
        const found = firstDifference(theirs.said, likewise(own.said, theirs.said))
        if (theirs.status === own.status && found === undefined) return
        const short = ({ status, said }: Outcome): unknown => [status, status < 300 ? 'accepted' : said]
        const objects = theirs.status < 300 && own.status < 300
        differences.push({
          ...about,
          real: objects ? found : short(theirs),
          ours: objects ? '(after the line)' : short(own),
        })
      }
      const both = (method: string, path: string, bodies: readonly [unknown, unknown]) =>
        Promise.all([call(genuine, method, path, bodies[0]), call(kube.transport, method, path, bodies[1])])
      for (const object of validObjects()) {
        const { group = '', version = '' } = parseApiVersion(object.apiVersion) ?? {}
        const facts = resourceFacts().resources.find(
          (each) => each.group === group && each.version === version && each.kind === object.kind,
        )
        if (!facts) throw new Error(`unknown: ${object.apiVersion} ${object.kind}`)
        if (ONLY && !ONLY.includes(facts.kind)) continue
        const root = `${group === '' ? '/api' : `/apis/${group}`}/${version}`
        const collection = `${root}${facts.namespaced ? '/namespaces/default' : ''}/${facts.name}`
        const kind = `${version} ${facts.kind}`
        const live = await both('POST', collection, [object, object])
        note({ kind, verb: 'valid', place: '', what: object.metadata.name ?? '' }, live)
        if (facts.kind === 'FlowSchema') {
          // Its controller there writes the status; until it has, an update is stale.
          const path = `${collection}/${object.metadata.name ?? ''}`
          await expect
            .poll(async () => {
              live[0] = await call(genuine, 'GET', path)
              return (live[0].json['status'] as Json)['conditions']
            })
            .toBeDefined()
          live[0].status = 201
        }
        const changes = changesOf(object, facts.definition).filter((_, i) => i % EVERY === 0)
        await inTurns(changes, async ({ object: changed, place, what }) => {
          const created = renamed(changed, object.metadata.name)
          note(
            { kind, verb: 'create', place, what },
            await both('POST', `${collection}?dryRun=All`, [created, created]),
          )
          if (live.some(({ status }) => status !== 201)) return
          const path = `${collection}/${object.metadata.name ?? ''}?dryRun=All`
          const bodies = [onTopOf(changed, live[0].json), onTopOf(changed, live[1].json)] as const
          note({ kind, verb: 'update', place, what }, await both('PUT', path, bodies))
        })
        // What follows must not run into it; there nobody counts.
        if (facts.kind === 'ResourceQuota') {
          for (const transport of [genuine, kube.transport]) {
            await remove(transport, `${collection}/${object.metadata.name ?? ''}`)
          }
        }
      }

      const share = 1 - differences.length / compared
      console.log(
        `${compared} answers compared, ${differences.length} differ: ${(share * 100).toFixed(2)} % the same`,
      )
      const file = process.env['ORRERY_DIFFERENCES']
      if (file !== undefined) writeFileSync(file, differences.map((each) => JSON.stringify(each)).join('\n'))
      expect(compared).toBeGreaterThan(ONLY ? 10 : 1000)
      expect(share).toBeGreaterThanOrEqual(AT_LEAST)
    }, 900_000)
  },
)

const AT_LEAST = 0.97
const AT_ONCE = 8

async function inTurns<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE)
    await Promise.all(items.slice(at, at + AT_ONCE).map(each))
}

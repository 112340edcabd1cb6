/**
 * Whatever a client sends to the embedded Kubernetes API, over a socket: bodies cut short, with bits turned over,
 * nested without end, with numbers and texts that nothing takes, in the wrong encoding. Each is answered by what it
 * asks for or by a Status that says what is wrong with it; the server neither fails nor hangs on any.
 *
 * ORRERY_FUZZ=20 makes it twenty times as long.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type KubeObject } from '../../../src/apimachinery/meta/types.js'
import { createTransport } from '../../../src/client/http.js'
import { parseKubeconfig } from '../../../src/client/kubeconfig.js'
import { send, type Transport } from '../../../src/client/transport.js'
import { definitions, resourceFacts, type ResourceFacts } from '../../../src/kube/builtin/data.js'
import { encodeObject, PROTOBUF } from '../../../src/kube/protobuf/index.js'
import { type Kube, startKube } from '../../../src/kube/index.js'
import { kubeconfigFor, ADMIN } from '../../../src/kube/pki/index.js'
import { arbitraryOf } from '../../fixtures/builtinobjects.js'
import { remembering } from '../../fixtures/logger.js'
import * as fc from '../../fixtures/properties.js'

let kube: Kube
let transport: Transport
const logger = remembering()

beforeAll(async () => {
  kube = await startKube({ port: 0, memory: true, controllers: false, logger })
  const { pki, caPem: ca, url: server = '' } = kube
  transport = createTransport(
    parseKubeconfig(kubeconfigFor({ server, ca, user: ADMIN.commonName, ...pki.admin })),
  )
})
afterAll(async () => {
  await transport.close()
  await kube.close()
})

interface Sent {
  method: string
  path: string
  type: string
  body: Buffer
}

/** What a genuine server answers as its own failure; the text says what is wrong all the same. */
const AS_RECORDED = [
  /resourceVersion should not be set on objects to be created/,
  /does not contain declared merge key/,
  /in setElementOrder|setElementOrder list/,
]

async function complaint({ method, path, type, body }: Sent): Promise<string | undefined> {
  const answer = await send(transport, {
    method,
    path: type === APPLY ? `${path}?fieldManager=fuzz&force=true` : path,
    headers: { 'content-type': type, 'content-length': String(body.length), accept: 'application/json' },
    body,
  })
  const text = answer.body.toString()
  // A failure has told the log of itself.
  const { error } = (logger.lines.splice(0).find(({ level }) => level === 'error')?.fields ?? {}) as {
    error?: Error
  }
  const said = `${answer.status} ${method} ${path} ${type}: ${error?.stack?.slice(0, 700) ?? text.slice(0, 300)}`
  if (answer.status >= 500 && !AS_RECORDED.some((known) => known.test(text)))
    return `${said}\n${body.toString().slice(0, 500)}`
  if (answer.status < 400) return undefined
  const status = JSON.parse(text) as { kind?: string; message?: string; code?: number }
  return status.kind === 'Status' && status.message !== '' && status.code === answer.status ? undefined : said
}

const APPLY = 'application/apply-patch+yaml'
const PATCHES = ['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml'].map(
  (type) => `application/${type}`,
)
const TYPES = ['application/json', 'application/yaml', PROTOBUF, 'text/plain', '', ...PATCHES]

/** Every place where a body is taken: collections, objects, and what lies below them. */
const targets: { facts: ResourceFacts; method: string; path: string }[] = resourceFacts().resources.flatMap(
  (facts) => {
    const { group, version, namespaced, name, verbs, subresources } = facts
    const root = `${group === '' ? '/api' : `/apis/${group}`}/${version}`
    const collection = `${root}${namespaced ? '/namespaces/default' : ''}/${name}`
    return [
      ...(verbs.includes('create') ? [{ facts, method: 'POST', path: collection }] : []),
      ...(verbs.includes('update') ? [{ facts, method: 'PUT', path: `${collection}/there` }] : []),
      ...(verbs.includes('patch') ? [{ facts, method: 'PATCH', path: `${collection}/there` }] : []),
      ...(verbs.includes('delete') ? [{ facts, method: 'DELETE', path: `${collection}/absent` }] : []),
      ...subresources.flatMap(({ name: sub, verbs: may }) =>
        (['create', 'update', 'patch'] as const)
          .filter((verb) => may.includes(verb) && !['exec', 'attach', 'portforward', 'proxy'].includes(sub))
          .map((verb) => ({
            facts,
            method: { create: 'POST', update: 'PUT', patch: 'PATCH' }[verb],
            path: `${collection}/there/${sub}`,
          })),
      ),
    ]
  },
)
const target = fc.constantFrom(...targets)
const typeFor = (method: string): fc.Arbitrary<string> =>
  method === 'PATCH'
    ? fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...PATCHES) }, fc.constantFrom(...TYPES))
    : fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('application/json', 'application/yaml', PROTOBUF) },
        fc.constantFrom(...TYPES),
      )

/** Some of each kind, made once: what is made of them matters more here than how many there are. */
const samples = new Map<string, fc.Arbitrary<Record<string, unknown>>>()
function objectOf({ definition }: ResourceFacts): fc.Arbitrary<Record<string, unknown>> {
  let known = samples.get(definition)
  if (known === undefined) {
    const any = arbitraryOf(definitions()[definition] ?? {}, definition, 0)
    known = fc.constantFrom(...(fc.sample(any, { numRuns: fc.runs(8) }) as Record<string, unknown>[]))
    samples.set(definition, known)
  }
  return known
}

function named({ kind, group, version }: ResourceFacts, value: Record<string, unknown>): KubeObject {
  const metadata = { ...(value['metadata'] as object), name: 'there', resourceVersion: undefined }
  const apiVersion = group === '' ? version : `${group}/${version}`
  return { ...value, apiVersion, kind, metadata } as unknown as KubeObject
}

/** Values that some field somewhere does not expect. */
const odd = fc.constantFrom<unknown>(
  ...[null, [], {}, '', 0, -1, true, 'x'.repeat(70_000), '\u0000', '\ud800', '../..', '%'],
  ...[2 ** 53, -(2 ** 63), 2 ** 64, 1e300, 0.5, 5e-324, [null], [[]], { '': '' }, { $patch: 'delete' }],
  ...[
    { $retainKeys: 5 },
    [{ $patch: 'replace' }],
    '9'.repeat(400),
    '1e999',
    '-',
    [{ op: 'move', path: '/' }],
  ],
  ...[JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":5}}'), 'None', '10.0.0.300', '1.5.'],
)

/** Puts a value somewhere into an object. */
function spoilt(object: unknown, steps: readonly number[], value: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined || typeof object !== 'object' || object === null) return value
  const keys = Object.keys(object)
  if (keys.length === 0) return value
  const key = keys[step % keys.length] ?? ''
  const copy = structuredClone(object) as Record<string, unknown>
  copy[key] = spoilt(copy[key], rest, value)
  return copy
}

const written = (type: string, object: unknown): Buffer => {
  if (type !== PROTOBUF) return Buffer.from(JSON.stringify(object))
  return encodeObject(object as Parameters<typeof encodeObject>[0])
}

/** Sends them one after the other; what went wrong is told together. */
async function none(given: fc.Arbitrary<Sent>, cases: number): Promise<void> {
  const complaints: string[] = []
  for (const sent of fc.sample(given, { numRuns: fc.runs(cases) })) {
    const said = await complaint(sent)
    if (said !== undefined) complaints.push(said)
  }
  expect(complaints.slice(0, SHOWN)).toEqual([])
}
const SHOWN = 20

describe('a body sent to the embedded Kubernetes API', () => {
  it('may hold any object that the schema allows, in every encoding', async () => {
    await none(
      target.chain(({ facts, method, path }) =>
        fc.tuple(objectOf(facts), typeFor(method)).map(([value, type]) => {
          const object = named(facts, value)
          return { method, path, type, body: written(type, object) }
        }),
      ),
      1500,
    )
  }, 120_000)

  it('may hold the wrong value anywhere', async () => {
    await none(
      target.chain(({ facts, method, path }) =>
        fc
          .tuple(objectOf(facts), fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), odd)
          .chain(([value, steps, wrong]) =>
            typeFor(method).map((type) => ({
              method,
              path,
              type: type === PROTOBUF ? 'application/json' : type,
              body: Buffer.from(JSON.stringify(spoilt(named(facts, value), steps, wrong))),
            })),
          ),
      ),
      2500,
    )
  }, 120_000)

  it('may be cut short, and have bytes changed, doubled and put in', async () => {
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) })
    const edits = fc.record({
      flips: fc.array(edit, { maxLength: 4 }),
      inserted: fc.array(edit, { maxLength: 2 }),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    })
    await none(
      target.chain(({ facts, method, path }) =>
        fc.tuple(objectOf(facts), typeFor(method), edits).map(([value, type, { flips, inserted, cut }]) => {
          let body = written(type, named(facts, value))
          for (const { at, byte } of flips) body[Math.floor(at * (body.length - 1))] = byte
          for (const { at, byte } of inserted) {
            const place = Math.floor(at * body.length)
            body = Buffer.concat([body.subarray(0, place), Buffer.from([byte, byte]), body.subarray(place)])
          }
          if (cut !== null) body = body.subarray(0, Math.floor(cut * body.length))
          return { method, path, type, body }
        }),
      ),
      2500,
    )
  }, 120_000)

  const nested = (open: string, close: string, depth: number): string =>
    open.repeat(depth) + close.repeat(depth)
  const WHOLE: Readonly<Record<string, string | Buffer>> = {
    nothing: '',
    'a null': 'null',
    'a list': '[]',
    'a number': '5',
    'lists 100,000 deep': nested('[', ']', 100_000),
    'objects 100,000 deep': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    'a list 100,000 deep in a field': `{"metadata":{"name":"there"},"spec":${nested('[', ']', 100_000)}}`,
    'objects 100,000 deep in a field': `{"metadata":{"name":"there"},"spec":${'{"not":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    'objects 100,000 deep in data': `{"metadata":{"name":"there"},"data":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    'operations that double the object': JSON.stringify([
      { op: 'add', path: '/metadata/annotations', value: { a: 'xxxxxxxx' } },
      ...Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/metadata', path: `/metadata/x${i}` })),
    ]),
    'operations that go ever deeper': JSON.stringify(
      Array.from({ length: 2000 }, (_, i) => ({ op: 'add', path: `/metadata${'/a'.repeat(i)}`, value: {} })),
    ),
    'a list of 100,000 faults': `{"metadata":{"name":"there","finalizers":[${'"a",'.repeat(100_000)}"a"]}}`,
    'numbers without end': `{"metadata":{"name":"there","generation":${'9'.repeat(5000)}},"spec":{"replicas":1e999999}}`,
    'numbers beyond 64 bits': '{"metadata":{"name":"there"},"spec":{"replicas":18446744073709551616}}',
    'bytes that are no text': Buffer.concat([
      Buffer.from('{"metadata":{"name":"there","labels":{"a":"'),
      Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
      Buffer.from('"}}}'),
    ]),
    'only such bytes': Buffer.from([0xc3, 0x28, 0xa0, 0xa1, 0xe2, 0x28, 0xf0, 0x9f]),
    'half of a surrogate pair': '{"metadata":{"name":"there","labels":{"a":"\\ud800"}}}',
    'keys of prototypes':
      '{"__proto__":{"x":1},"constructor":{"prototype":1},"metadata":{"__proto__":{"name":"x"}}}',
    'the same key twice': '{"metadata":{"name":"there"},"metadata":{"name":"other"},"kind":"A","kind":"B"}',
    'YAML that refers to itself': 'metadata: &a\n  name: there\n  labels: *a\n',
    'YAML that grows': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((key, i) => `${key}: &${key} [${`*${'abcdefghij'[i] ?? ''},`.repeat(8)}x]`)
      .join('\n')}\n`,
    'protobuf that ends in a length': Buffer.concat([
      Buffer.from('k8s\0'),
      Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    ]),
    'protobuf with a group': Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x13, 0x0b, 0x0b, 0x0c])]),
    'protobuf of a number with eleven bytes': Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(11, 0xff)]),
    'more than three megabytes': Buffer.alloc(3 * 1024 * 1024 + 1, 0x20),
    'almost three megabytes of brackets': Buffer.alloc(3 * 1024 * 1024 - 1, 0x5b),
  }

  it.each(Object.entries(WHOLE))(
    'may be %s',
    async (_what, text) => {
      const places = targets.filter(
        ({ facts: { name, version } }) =>
          ['configmaps', 'deployments', 'pods', 'customresourcedefinitions', 'roles'].includes(name) &&
          version === 'v1',
      )
      const complaints: string[] = []
      for (const { method, path } of places) {
        for (const type of method === 'PATCH'
          ? PATCHES
          : ['application/json', 'application/yaml', PROTOBUF]) {
          const said = await complaint({ method, path, type, body: Buffer.from(text) })
          if (said !== undefined) complaints.push(said)
        }
      }
      expect(complaints).toEqual([])
      expect((await send(transport, { method: 'GET', path: '/readyz', headers: {} })).status).toBe(200)
    },
    60_000,
  )
})

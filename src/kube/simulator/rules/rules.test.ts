import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { send } from '../../../client/transport.js'
import { type Pod } from '../../builtin/types.js'
import { type Cluster, startCluster } from '../../controllers/fixture.js'
import { readRules } from './read.js'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'orrery-stages-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const write = (text: string, name = 'own.yaml'): void => writeFileSync(join(directory, name), text)
function problems(): string[] {
  try {
    readRules(directory)
    return []
  } catch (error) {
    return [...(error as { problems: string[] }).problems]
  }
}

describe('stages of one own', () => {
  it.each([
    [
      'stages: [{name: a, when: {state: sleeping}, next: {ready: true}}]',
      'own.yaml: stages[0].when.state must be one of waiting, running, terminated',
    ],
    [
      'stages: [{name: a, when: {ready: true}, next: {phase: Running}}]',
      'own.yaml: stages[0].next has a field that is not known: phase',
    ],
    [
      'stages: [{when: {ready: true}, next: {ready: false}}]',
      "own.yaml: stages[0] must have required property 'name'",
    ],
    [
      'stages: [{name: a, when: {ready: true}, delay: {seconds: soon}, next: {ready: false}}]',
      'own.yaml: stages[0].delay.seconds must be number',
    ],
    [
      'stages: [{name: a, when: {ready: true}, next: {ready: false}, events: [[Error, X, y]]}]',
      'own.yaml: stages[0].events[0][0] must be one of Normal, Warning',
    ],
    ['images: [{match: [], exitCode: 256}]', 'own.yaml: images[0].exitCode must be <= 255'],
    ['images: {}', 'own.yaml: images must be array'],
    ['images: [', 'own.yaml: Flow sequence'],
    ['', 'own.yaml: must be object'],
  ])('are refused where they are wrong, with the place: %s', (text, problem) => {
    write(text)

    expect(
      problems().some((each) => each.startsWith(problem)),
      problems().join('\n'),
    ).toBe(true)
  })

  it('are refused where there are none, or two of a name', () => {
    expect(problems()).toEqual(['there is no .yaml file in it'])
    const stage = 'stages: [{name: a, when: {ready: true}, next: {ready: false}}]'
    write(stage)
    write(stage, 'then.yml')
    expect(problems()).toEqual(['then.yml: there are two stages named a'])
    rmSync(directory, { recursive: true })
    expect(problems()).toEqual(['there is no such directory'])
  })

  it('have the form of those built in', () => {
    const builtin = fileURLToPath(new URL('../../../../config/stages', import.meta.url))

    expect(readdirSync(builtin).sort()).toEqual(['containers.yaml', 'images.yaml'])
    expect(() => readRules(builtin)).not.toThrow()
  })
})

describe('a simulated pod with stages of one own', () => {
  let cluster: Cluster | undefined
  afterEach(() => cluster?.close())

  async function start(): Promise<void> {
    cluster = await startCluster({ nodes: 1, stages: directory })
  }
  const create = (name: string, image: string, command: string[] = [], spec: object = {}): Promise<unknown> =>
    cluster!.create('pods', {
      metadata: { name },
      spec: { containers: [{ name: 'main', image, command }], restartPolicy: 'Never', ...spec },
    })
  const report = (name: string) => cluster!.get<Pod>('pods', name)?.status.containerStatuses?.[0]
  async function soon(read: () => unknown, expected: unknown): Promise<void> {
    await expect
      .poll(
        () => {
          cluster!.clock.advance(500)
          return read()
        },
        { interval: 5 },
      )
      .toEqual(expected)
  }
  const log = async (name: string): Promise<string> => {
    const path = `/api/v1/namespaces/default/pods/${name}/log`
    const { kube } = cluster!
    return (
      await send(kube.transport, { method: 'GET', path, headers: {}, user: kube.adminUser })
    ).body.toString()
  }

  it('does what its image and command are said to do', async () => {
    write(`
images:
  - match: [shop]
    command: ['*migrate*']
    logs: ['migrating \${image}']
    seconds: 5
    exitCode: 3
  - match: [shop]
    logs: ['open for business']
  - match: ['registry.example/*']
    pull: 'unauthorized: \${image}'
`)
    await start()
    await create('migration', 'shop:1', ['/shop', 'migrate', '--all'])
    await create('shop', 'shop:1')
    await create('private', 'registry.example/x:1')

    await soon(() => report('migration')?.state?.terminated?.exitCode, 3)
    expect(await log('migration')).toBe('migrating shop:1\n')
    await soon(() => Boolean(report('shop')?.state?.running), true)
    expect(await log('shop')).toBe('open for business\n')
    await soon(() => report('private')?.state?.waiting?.reason, 'ImagePullBackOff')
    // What the files do not speak of is as before.
    await create('other', 'nginx:1')
    await soon(() => Boolean(report('other')?.state?.running), true)
  })

  it('goes through stages that take the place of built-in ones, or are new, for some images', async () => {
    write(`
stages:
  - name: out-of-memory
    when: { state: running, image: hungry }
    delay: { seconds: 20 }
    next:
      state: { terminated: { exitCode: 137, reason: OOMKilled, startedAt: '\${startedAt}', finishedAt: '\${now}' } }
      ready: false
      started: false
    events:
      - [Warning, OOMKilling, 'Memory cgroup out of memory: \${container}']
`)
    await start()
    await create('fat', 'hungry:1')
    await create('lean', 'nginx:1')

    await soon(
      () => report('fat')?.state?.terminated,
      expect.objectContaining({ exitCode: 137, reason: 'OOMKilled' }),
    )
    await expect.poll(() => cluster!.list('events').map(({ reason }) => reason)).toContain('OOMKilling')
    expect(report('lean')?.state?.running).toBeDefined()
  })

  it('does not start at all with files that are wrong', async () => {
    write('stages: 1')

    await expect(startCluster({ nodes: 1, stages: directory })).rejects.toThrow(
      'own.yaml: stages must be array',
    )
  })
})

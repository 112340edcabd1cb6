import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyOf, labelOf, type Report } from './crashwriter.js'
import { openFileStorage } from './index.js'

const ROUNDS = 20
const SOURCE = fileURLToPath(new URL('../../../', import.meta.url))
const FOLDERS = ['kube/storage', 'apimachinery/packing']

describe('a process killed at random moments while it writes', () => {
  let root: string
  let program: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'orrery-kill-'))
    program = await transpiled(join(root, 'program'))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  it(`loses no acknowledged write and serves no revision twice, ${ROUNDS} times over`, async () => {
    const directory = join(root, 'data')
    const acknowledged = new Set<number>()
    /** What each key must hold; undefined after a delete. */
    const expected = new Map<string, { revision: number; value: string | undefined }>()
    let newestSeen = 1
    let interrupted = 0

    for (let round = 0; round < ROUNDS; round++) {
      const nextOf = new Map<number, number>()
      for (const report of await killed(program, directory, round)) {
        if (report.at === 'open') expect(report.revision).toBe(newestSeen)
        newestSeen = Math.max(newestSeen, report.revision)
        if (report.at !== 'acknowledged') continue
        const { revision, key, type, value } = report
        expect(acknowledged.has(revision), `revision ${revision} acknowledged twice`).toBe(false)
        acknowledged.add(revision)
        expected.set(key, { revision, value: type === 'put' ? value : undefined })
        nextOf.set(report.writer, report.write + 1)
      }

      const storage = await openFileStorage({ directory })
      expect(storage.revision).toBeGreaterThanOrEqual(newestSeen)
      const keys = new Set([...expected.keys(), ...storage.list('').items.map(({ key }) => key)])
      for (const key of keys) {
        const entry = storage.get(key)
        const value = entry?.value.toString().replace(/\.*$/, '')
        const known = expected.get(key)
        if (value === known?.value && (!entry || entry.modRevision === known?.revision)) continue
        // Not as acknowledged: then it is the one write that its writer had on its way.
        const writer = Number(/^\/w(\d+)/.exec(key)![1])
        const next = nextOf.get(writer) ?? 0
        interrupted++
        expect(key).toBe(keyOf(writer, next))
        if (entry) expect(value).toBe(labelOf(round, writer, next))
        else expect(next % 7).toBe(6)
        if (entry) expect(entry.modRevision).toBeGreaterThan(known?.revision ?? 1)
        if (entry) expect(acknowledged.has(entry.modRevision)).toBe(false)
        expected.set(key, { revision: entry?.modRevision ?? storage.revision, value })
      }
      // Whatever came through is visible from now on.
      newestSeen = storage.revision
      await storage.close()
    }

    expect(acknowledged.size).toBeGreaterThan(1_000)
    expect(interrupted).toBeGreaterThan(0)
  }, 120_000)
})

/** Runs the writer until a random moment after its first acknowledgement; returns all it managed to report. */
async function killed(program: string, directory: string, round: number): Promise<Report[]> {
  const reports: Report[] = []
  const child = fork(program, [directory, String(round)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let failure = ''
  child.stderr?.on('data', (chunk: Buffer) => (failure += chunk.toString()))
  let armed = false
  child.on('message', (report: Report) => {
    reports.push(report)
    if (armed || report.at !== 'acknowledged') return
    armed = true
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 120)
  })
  // The channel is read to its end before the process counts as closed.
  const [, signal] = (await once(child, 'close')) as [number, string]
  expect(signal, failure).toBe('SIGKILL')
  return reports
}

/** The storage and what it stands on as plain JavaScript, for a process that does not go through the test runner. */
async function transpiled(target: string): Promise<string> {
  for (const folder of FOLDERS) await cp(join(SOURCE, folder), join(target, folder), { recursive: true })
  await writeFile(join(target, 'package.json'), '{"type":"module"}')
  for (const path of await readdir(target, { recursive: true })) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue
    const source = await readFile(join(target, path), 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    })
    await writeFile(join(target, path.replace(/\.ts$/, '.js')), outputText)
  }
  const main = join(target, 'main.js')
  await writeFile(
    main,
    `import { writeUntilKilled } from './kube/storage/file/crashwriter.js'
     await writeUntilKilled(process.argv[2], Number(process.argv[3]))`,
  )
  return main
}

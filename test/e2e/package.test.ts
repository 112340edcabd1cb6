/** `orrery/kube` as others install it: from the packed archive, with nothing but what package.json declares. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
let home: string

/** What the guide's reader has installed himself. */
const READERS = ['vitest', '@kubernetes/client-node', '@types/node']
const EXAMPLES = ['testing-with-kube.test.ts', 'client-node.test.ts']

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'orrery-package-'))
  const build = "import('./scripts/setup.js').then(({ ensureBuilt }) => ensureBuilt())"
  run(['--input-type=module', '--eval', build], root)
  const npm = ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', home]
  const name = execFileSync('npm', npm, { cwd: root, encoding: 'utf8' }).trim().split('\n').at(-1) ?? ''
  await unpack(readFileSync(join(home, name)), join(home, 'node_modules', 'orrery'))
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const each of [...Object.keys(dependencies), ...READERS]) {
    mkdirSync(dirname(join(home, 'node_modules', each)), { recursive: true })
    symlinkSync(join(modules, each), join(home, 'node_modules', each))
  }
  writeFileSync(join(home, 'package.json'), '{"type":"module"}')
  for (const each of EXAMPLES) cpSync(join(root, 'test', 'examples', each), join(home, each))
}, 240_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

function run(args: readonly string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(stdout + stderr, { cause: error })
  }
}

async function unpack(archive: Buffer, to: string): Promise<void> {
  const reader = extract()
  reader.end(gunzipSync(archive))
  for await (const entry of reader) {
    const pieces: Buffer[] = []
    for await (const piece of entry as AsyncIterable<Buffer>) pieces.push(piece)
    const path = join(to, entry.header.name.replace(/^package\//, ''))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat(pieces))
  }
}

it('runs the examples of the guide', () => {
  const output = run([join(modules, 'vitest', 'vitest.mjs'), 'run', '--root', home], home)

  expect(output).toMatch(/Tests.*2 passed/)
}, 240_000)

it('has types that the examples are checked with', () => {
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--noEmit']
  const compiler = join(modules, 'typescript-native', 'bin', 'tsc')

  expect(run([compiler, ...options, '--types', 'node', ...EXAMPLES], home)).toBe('')
}, 120_000)

/**
 * `npm run test:conformance [-- --focus REGEX] [--timeout SECONDS] [--parallel N] [--short]`: runs the conformance tests of
 * Kubernetes 1.20.2 against `orrery kube` with simulated nodes, each test in a process of its own, and writes what came of them
 * into docs/conformance.md. Tests that need real containers (test/conformance/containers.txt) only run when `--all` is given.
 *
 * `--short` runs a small selection and writes nothing. Needs `scripts/build-kubernetes.sh --e2e`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkNode, ensureBuilt, ensureInstalled, root } from './setup.js'

const { values: options } = parseArgs({
  options: {
    focus: { type: 'string', default: '' },
    timeout: { type: 'string', default: '400' },
    parallel: { type: 'string', default: '2' },
    short: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const cache =
  process.env.ORRERY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'orrery')
const program = join(cache, 'kubernetes-1.20', 'bin', 'e2e.test')
if (!existsSync(program)) {
  console.error('The conformance suite is not there: run scripts/build-kubernetes.sh --e2e first.')
  process.exit(options.short ? 0 : 1)
}
/** Quick, and of every kind. */
const SHORT =
  /Watchers should (be able to start|observe an object)|Namespaces .*patch a Namespace|Table transformation|PreferredVersion|Secrets should (patch|fail)|Certificates API|LimitRange|IngressClass|CSR|Events API should ensure|ReplicaSet should adopt|PodTemplates/
const DOCUMENT = join(root, 'docs', 'conformance.md')
const NEEDS = 'needs real containers'

checkNode()
ensureInstalled()
ensureBuilt()

const needsContainers = readFileSync(join(root, 'test', 'conformance', 'containers.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => new RegExp(line))
const needs = (name) => needsContainers.some((pattern) => pattern.test(name))

const names = namesOf()
const focus = new RegExp(options.focus)
const chosen = names.filter(
  (name) => focus.test(name) && (options.short ? SHORT.test(name) : options.all || !needs(name)),
)
const scratch = mkdtempSync(join(tmpdir(), 'orrery-conformance-'))
const server = await startServer()
const results = new Map()
try {
  const together = chosen.filter((name) => !name.includes('[Serial]'))
  const alone = chosen.filter((name) => name.includes('[Serial]'))
  await inParallel(together, Number(options.parallel))
  await inParallel(alone, 1)
} finally {
  server.kill('SIGKILL')
  rmSync(scratch, { recursive: true, force: true })
}
const failed = [...results].filter(([, result]) => result !== 'pass').map(([name]) => name)
if (!options.short) writeDocument()
for (const name of failed) console.log(`FAILED ${name}`)
console.log(`${results.size - failed.length} passed, ${failed.length} failed`)
process.exit(failed.length > 0 ? 1 : 0)

function namesOf() {
  const { stdout } = spawnSync(
    program,
    ['-ginkgo.dryRun', '-ginkgo.v', '-ginkgo.noColor', '-ginkgo.focus=\\[Conformance\\]'],
    { encoding: 'utf8', maxBuffer: 1 << 26, cwd: tmpdir() },
  )
  return [...stdout.matchAll(/"msg":"PASSED ((?:[^"\\]|\\.)*)"/g)]
    .map(([, name]) => JSON.parse(`"${name}"`))
    .sort()
}

async function startServer() {
  const args = [
    'kube',
    '--data-dir',
    scratch,
    '--memory',
    '--kube-port',
    '0',
    '--nodes',
    '2',
    '--log-level',
    'error',
  ]
  const child = spawn(process.execPath, [join(root, 'bin', 'orrery.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const until = Date.now() + 30_000
  while (!existsSync(join(scratch, 'kubeconfig'))) {
    if (Date.now() > until || child.exitCode !== null) throw new Error('the server did not start')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return child
}

async function inParallel(tests, lanes) {
  const waiting = [...tests]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const startedAt = Date.now()
        const { isPass, text } = await runTest(name)
        results.set(name, isPass ? 'pass' : 'fail')
        const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
        console.log(`${isPass ? 'pass' : 'FAIL'} ${seconds.padStart(6)} s  ${name}`)
        if (!isPass && options.verbose) console.log(text.split('\n').slice(-60).join('\n'))
      }
    }),
  )
}

function runTest(name) {
  const pattern = name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
  const args = [
    `-kubeconfig=${join(scratch, 'kubeconfig')}`,
    '-provider=skeleton',
    '-ginkgo.noColor',
    '-ginkgo.v',
    `-ginkgo.focus=${pattern}`,
    '-disable-log-dump',
    '-num-nodes=2',
    '-minStartupPods=0',
    // Of the same release: others word their errors in another way.
    `-kubectl-path=${join(dirname(program), 'kubectl')}`,
  ]
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    const take = (chunk) => (text = (text + chunk).slice(-200_000))
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const limit = setTimeout(() => child.kill('SIGKILL'), Number(options.timeout) * 1000)
    child.on('exit', (code) => {
      clearTimeout(limit)
      resolve({ isPass: code === 0 && /^PASS$/m.test(text), text })
    })
  })
}

/** Tests that did not run keep what is known of them. */
function writeDocument() {
  const known = new Map()
  if (existsSync(DOCUMENT))
    for (const [, name, result] of readFileSync(DOCUMENT, 'utf8').matchAll(/^\| (.+) \| ([a-z ]+) \|$/gm))
      known.set(name.replaceAll('\\|', '|'), result)
  const rows = names.map((name) => [
    name,
    results.get(name) ?? (needs(name) ? NEEDS : known.get(name)) ?? 'not run',
  ])
  const count = (wanted) => rows.filter(([, result]) => result === wanted).length
  const text = `# Conformance

The conformance tests of Kubernetes 1.20.2, run by \`npm run test:conformance\` against \`orrery kube\` with two simulated nodes.
This page is written by that command.

${count('pass')} pass, ${count('fail')} fail, ${count('not run')} were not run, and ${count(NEEDS)} need real containers, volumes or a network, which
simulated nodes have not; nobody should take the embedded API for a conformant cluster.

| test | result |
| --- | --- |
${rows.map(([name, result]) => `| ${name.replaceAll('|', '\\|')} | ${result} |`).join('\n')}
`
  writeFileSync(DOCUMENT, text)
}

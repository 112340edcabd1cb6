/**
 * Makes a fresh clone runnable: installs the packages of the lock file when they are missing or stale, and
 * compiles src/ to dist/ when a source file is newer. Touches nothing outside the clone.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const MINIMUM_NODE = 20

export function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= MINIMUM_NODE) return
  console.error(`Orrery needs Node.js ${MINIMUM_NODE} or newer; this is ${process.version}.`)
  process.exit(1)
}

function run(command, args, what) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  console.error(error ? `${what} failed: ${error.message}` : `${what} failed (exit status ${status}).`)
  process.exit(status ?? 1)
}

/** Installs packages unless node_modules was made from this very lock file. */
export function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.orrery-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.error('Installing packages ...')
  // The types and the compiler are development packages; a start from source needs them.
  run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'], 'npm ci')
  writeFileSync(stamp, wanted)
}

function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) latest = Math.max(latest, newest(path))
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
      latest = Math.max(latest, statSync(path).mtimeMs)
  }
  return latest
}

export function compile(project = 'tsconfig.build.json') {
  run(process.execPath, [join('node_modules', 'typescript-native', 'bin', 'tsc'), '-p', project], 'The build')
}

/** Compiles unless dist/ is newer than every source file. */
export function ensureBuilt() {
  const stamp = join(root, 'dist', '.built')
  const changed = Math.max(newest(join(root, 'src')), statSync(join(root, 'tsconfig.build.json')).mtimeMs)
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= changed) return
  console.error('Building ...')
  compile()
  run(process.execPath, [join('scripts', 'bundle.js')], 'Bundling')
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, '')
}

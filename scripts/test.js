/**
 * `npm test [-- ARGS]`: sets the clone up and runs every test. ARGS go to vitest. Ends with the line
 * `N passed, N failed` (`, N skipped`). With ORRERY_FORBID_SKIPS=1 a skipped test fails the run. With
 * ORRERY_TEST_RETRIES=N a test that fails is tried again, and told of where it then passes.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { checkNode, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
ensureBuilt()

const scratch = mkdtempSync(join(tmpdir(), 'orrery-test-'))
const report = join(scratch, 'report.json')
const { status } = spawnSync(
  process.execPath,
  [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
)

let summary
try {
  summary = JSON.parse(readFileSync(report, 'utf8'))
} catch {
  console.error('The test runner left no report.')
  console.log('0 passed, 1 failed')
  process.exit(status || 1)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

const skipped = summary.testResults.flatMap((file) =>
  file.assertionResults
    .filter((test) => ['skipped', 'pending', 'todo', 'disabled'].includes(test.status))
    .map((test) => `${relative(root, file.name)}: ${test.fullName}`),
)
const brokenFiles = summary.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
).length
const failed = summary.numFailedTests + brokenFiles
if (skipped.length > 0) {
  console.log(`\nSKIPPED, because something is missing here (${skipped.length}):`)
  for (const line of skipped) console.log(`  ${line}`)
}
const unsteady = summary.testResults.flatMap((file) =>
  file.assertionResults
    .filter((test) => test.status === 'passed' && test.failureMessages.length > 0)
    .map(
      (test) => `${relative(root, file.name)}: ${test.fullName}: ${test.failureMessages[0].split('\n')[0]}`,
    ),
)
if (unsteady.length > 0) {
  console.log(`\nUNSTEADY, passed at the second try only (${unsteady.length}):`)
  for (const line of unsteady) console.log(`  ${line}`)
}
const forbidden = process.env.ORRERY_FORBID_SKIPS === '1' ? skipped.length : 0
if (forbidden > 0) console.log('Skipped tests count as failures in this run.')
console.log(
  `${summary.numPassedTests} passed, ${failed + forbidden} failed${forbidden === 0 && skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
)
process.exit(status !== 0 || failed + forbidden > 0 || summary.numPassedTests === 0 ? 1 : 0)

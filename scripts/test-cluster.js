/**
 * `npm run test:cluster`: builds the real Kubernetes 1.20 API server where it is not built yet (see
 * scripts/build-kubernetes.sh), then runs the tests of test/cluster, test/security and
 * test/scenarios against it.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './setup.js'

const build = spawnSync('bash', [join(root, 'scripts', 'build-kubernetes.sh')], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
if (build.status !== 0) {
  console.error('The Kubernetes API server could not be built; see above.')
  process.exit(1)
}
/** @returns the exit code */
function run(files, env) {
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'test.js'), ...files, ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, ORRERY_FORBID_SKIPS: '1', ...env } },
  )
  return status ?? 1
}

/** What a genuine API server alone cannot show; everything else of these folders is tried on it, too. */
const LEFT_OUT = {
  'test/scenarios/podlogs.test.ts': 'no node runs pods there, so there are no log lines',
  'test/security/accessmatrix.test.ts': 'what the platform allows does not depend on the API behind it',
}

// Scenarios and attacks, on the product in front of that API server instead of the embedded one.
const folders = ['test/security', 'test/scenarios', 'test/serving/guard.test.ts']
const excluded = Object.keys(LEFT_OUT).flatMap((file) => ['--exclude', `**/${file}`])
const codes = [
  run(['test/cluster'], {}),
  run([...folders, ...excluded, '--maxWorkers=1'], { ORRERY_TEST_API: 'cluster' }),
  // The same checks as on the embedded API.
  run(['test/kube/acceptance', '--maxWorkers=1'], { ORRERY_TEST_API: 'cluster' }),
]
console.log('\nLeft out on a genuine API server:')
for (const [file, reason] of Object.entries(LEFT_OUT)) console.log(`  ${file}: ${reason}`)
process.exit(Math.max(...codes))

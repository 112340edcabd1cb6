/**
 * `npm run test:cluster`: builds the real Kubernetes 1.20 API server where it is not built yet (see
 * scripts/build-kubernetes.sh), then runs the tests of test/cluster and test/security against it.
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

// The attacks of test/security, on the product in front of that API server instead of the embedded one.
const attacks = ['test/security', 'test/serving/guard.test.ts', '--exclude', '**/accessmatrix.test.ts']
const codes = [run(['test/cluster'], {}), run([...attacks, '--maxWorkers=1'], { ORRERY_TEST_API: 'cluster' })]
process.exit(Math.max(...codes))

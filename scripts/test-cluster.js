/**
 * `npm run test:cluster`: builds the real Kubernetes 1.20 API server where it is not built yet (see
 * scripts/build-kubernetes.sh), then runs the tests of test/cluster against it.
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
const tests = spawnSync(
  process.execPath,
  [join(root, 'scripts', 'test.js'), 'test/cluster', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, ORRERY_FORBID_SKIPS: '1' },
  },
)
process.exit(tests.status ?? 1)

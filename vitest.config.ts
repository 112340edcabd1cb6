import { configDefaults, defineConfig } from 'vitest/config'

const onCluster = process.env.ORRERY_TEST_API === 'cluster'

/** Left out, not skipped, where what they need is not built. */
const withoutBinaries = [
  ...(process.env.ORRERY_CLUSTER_TESTS === '0' ? ['test/cluster/**'] : []),
  ...(process.env.ORRERY_OPERATOR_TESTS === '0' ? ['test/kube/acceptance/operator.test.ts'] : []),
]

export default defineConfig({
  // As the package exports it, from the sources.
  resolve: { alias: { 'orrery/kube': new URL('src/kube/testing/index.ts', import.meta.url).pathname } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...withoutBinaries],
    // A genuine API server is slower, and its garbage collector looks for new kinds twice a minute.
    testTimeout: onCluster ? 150_000 : 20_000,
    hookTimeout: onCluster ? 180_000 : 60_000,
    // What is waited for comes at once on a free machine; on a busy one a second is not long.
    expect: { poll: { interval: 20, timeout: 15_000 } },
    pool: 'forks',
    // A second try, told in the report: what a run on a shared machine needs, and a developer does not want.
    retry: Number(process.env['ORRERY_TEST_RETRIES'] ?? 0),
  },
})

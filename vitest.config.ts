import { defineConfig } from 'vitest/config'

export default defineConfig({
  // As the package exports it, from the sources.
  resolve: { alias: { 'orrery/kube': new URL('src/kube/testing/index.ts', import.meta.url).pathname } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
})

/** The code in the guides is the code that runs here. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

it.each(['testing-with-kube.test.ts', 'client-node.test.ts'])(
  'docs/guides/testing-with-kube.md shows %s',
  (name) => {
    const guide = read('docs/guides/testing-with-kube.md')

    expect(guide).toContain(read(`test/examples/${name}`))
  },
)

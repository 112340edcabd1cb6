#!/bin/sh
':' //; MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_-131072}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_-131072}" exec node "$0" "$@"

// The first two lines are for the shell. The C library reads its settings when a process starts, and without these it keeps
// what a start has freed: 50 MB in a large installation. Started as `node bin/orrery.js`, all else is the same.
import { statSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const modified = (file) =>
  statSync(new URL(`../dist/${file}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0

// A bundle that is older than the last compilation is of another state of the sources.
const isBundled = modified('bundle/main.js') > modified('.tsbuildinfo')

// What V8 compiled in an earlier run, where Node.js can keep it (from 22.8): a fifth of a start's CPU. It lies with the program,
// so that who could put other code there could change the program as well. Where it cannot be written, it is not.
if (isBundled) module.enableCompileCache?.(fileURLToPath(new URL('../dist/bundle/cache', import.meta.url)))

const { main } = await import(isBundled ? '../dist/bundle/main.js' : '../dist/cmd/main.js')

await main(process.argv.slice(2))

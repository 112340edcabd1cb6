#!/bin/sh
':' //; MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_-131072}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_-131072}" exec node "$0" "$@"

// The first two lines are for the shell. The C library reads its settings when a process starts, and without these it keeps
// what a start has freed: 50 MB in a large installation. Started as `node bin/orrery.js`, all else is the same.
import { statSync } from 'node:fs'

const modified = (file) =>
  statSync(new URL(`../dist/${file}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0

// A bundle that is older than the last compilation is of another state of the sources.
const isBundled = modified('bundle/main.js') > modified('.tsbuildinfo')
const { main } = await import(isBundled ? '../dist/bundle/main.js' : '../dist/cmd/main.js')

await main(process.argv.slice(2))

#!/bin/sh
':' //; MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_-131072}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_-131072}" exec node "$0" "$@"

/** `npm start [-- ARGS]`: sets the clone up and runs `orrery up ARGS` in this process. For the shell's lines see bin/orrery.js. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkNode, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
ensureBuilt()
const program = join(root, 'bin', 'orrery.js')
process.argv.splice(1, process.argv.length - 1, program, 'up', ...process.argv.slice(2))
await import(pathToFileURL(program).href)

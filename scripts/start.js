/** `npm start [-- ARGS]`: sets the clone up and runs `orrery up ARGS` in this process. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkNode, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
ensureBuilt()
const program = join(root, 'bin', 'orrery.js')
process.argv.splice(1, process.argv.length - 1, program, 'up', ...process.argv.slice(2))
await import(pathToFileURL(program).href)

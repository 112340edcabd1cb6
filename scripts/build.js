/** `npm run build`: compiles src/ to dist/. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { checkNode, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
rmSync(join(root, 'dist'), { recursive: true, force: true })
ensureBuilt()

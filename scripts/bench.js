/** `npm run bench [-- NAME...]`: runs the modules of bench/ (all, or those named), one after the other. */
import { existsSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkNode, compile, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
compile('tsconfig.bench.json')
ensureBuilt()
// Compiled modules look for config/ two levels up, as they do in src/ and dist/.
const config = join(root, 'dist', 'bench', 'config')
if (!existsSync(config)) symlinkSync(join('..', '..', 'config'), config)

const names = process.argv.slice(2)
const files = readdirSync(join(root, 'bench')).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('_'),
)
const wanted = files
  .map((file) => basename(file, '.ts'))
  .filter((name) => names.length === 0 || names.includes(name))
if (wanted.length === 0) {
  console.error(`No such benchmark. There are: ${files.map((file) => basename(file, '.ts')).join(', ')}`)
  process.exit(2)
}
for (const name of wanted) {
  const module = await import(pathToFileURL(join(root, 'dist', 'bench', 'bench', `${name}.js`)).href)
  console.log(`\n== ${name}`)
  await module.run()
}
process.exit(0)

/**
 * `npm run bench [-- NAME...] [--smoke] [--out FILE] [--against DIR]`: runs the modules of bench/ (all, or those named), one
 * after the other; some only when named. `--smoke` is a short run that fails only when a target is missed tenfold. `--out`
 * keeps the figures as JSON. `--against` measures the built checkout DIR of an earlier release beside this one.
 */
import { existsSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { checkNode, compile, ensureBuilt, ensureInstalled, root } from './setup.js'

checkNode()
ensureInstalled()
compile('tsconfig.bench.json')
ensureBuilt()
// Compiled modules look for config/ two levels up, as they do in src/ and dist/.
const config = join(root, 'dist', 'bench', 'config')
if (!existsSync(config)) symlinkSync(join('..', '..', 'config'), config)

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    out: { type: 'string' },
    against: { type: 'string' },
  },
})
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
const load = (name) => import(pathToFileURL(join(root, 'dist', 'bench', 'bench', `${name}.js`)).href)
const { Report } = await load('_report')
const report = new Report()
for (const name of wanted) {
  const module = await load(name)
  if (values.smoke && !module.smoke) continue
  if (module.isOnRequest && !names.includes(name)) continue
  console.log(`\n== ${name}`)
  await (values.smoke ? module.smoke(report) : module.run(report, { against: values.against }))
}
if (values.out) report.write(values.out)
const lost = report.rows.filter(({ isLost }) => isLost)
for (const { name } of lost) console.error(`far off its target: ${name}`)
process.exit(values.smoke && lost.length > 0 ? 1 : 0)

/**
 * Puts the compiled modules of the program together in a few files: dist/bundle/. Loading 900 modules one by one takes a
 * start longer than all it does with them, and holds 13 MB. Packages stay apart; what is loaded when used stays so.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { root } from './setup.js'

/** Packages of a dozen and more files that every start loads, and what they load in turn. */
const MANY_FILES = [
  ...['@opentelemetry/api', 'bintrees', 'prom-client', 'tdigest'],
  ...['ajv', 'fast-deep-equal', 'fast-uri', 'json-schema-traverse'],
  ...['fast-decode-uri-component', 'fast-querystring', 'find-my-way', 'ret', 'safe-regex2'],
  'yaml',
]

const { rolldown } = await import('rolldown').catch(() => {
  // It comes with the test runner. Without it the program runs from the modules themselves.
  console.error('Not bundled: the bundler is not installed.')
  return {}
})
if (rolldown) {
  const dist = join(root, 'dist')
  const target = join(dist, 'bundle')
  rmSync(target, { recursive: true, force: true })
  const bundle = await rolldown({
    input: {
      main: join(dist, 'cmd', 'main.js'),
      // Started as threads of their own, from beside the modules that start them.
      hashing: join(dist, 'authentication', 'hashing.js'),
      thread: join(dist, 'integrations', 'records', 'embedded', 'thread.js'),
    },
    platform: 'node',
    treeshake: false,
    external: (id) => !id.startsWith('.') && !isAbsolute(id) && !isOfManyFiles(id),
  })
  const { output } = await bundle.write({
    dir: target,
    format: 'esm',
    entryFileNames: '[name].js',
    // Names stay: they are in stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  })
  await bundle.close()
  // Afterwards: the bundler undoes escapes.
  for (const { fileName, code } of output.filter(({ type }) => type === 'chunk'))
    writeFileSync(join(target, fileName), oneByte(code))
}

/** The package that a module's name begins with. */
function isOfManyFiles(id) {
  return MANY_FILES.some((name) => id === name || id.startsWith(`${name}/`))
}

/** One letter beyond ASCII, and a source is kept at two bytes a letter. Outside of strings, the code has no such letters. */
function oneByte(code) {
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

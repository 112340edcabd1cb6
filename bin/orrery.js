#!/usr/bin/env node
import { statSync } from 'node:fs'

const modified = (file) =>
  statSync(new URL(`../dist/${file}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0

// A bundle that is older than the last compilation is of another state of the sources.
const isBundled = modified('bundle/main.js') > modified('.tsbuildinfo')
const { main } = await import(isBundled ? '../dist/bundle/main.js' : '../dist/cmd/main.js')

await main(process.argv.slice(2))

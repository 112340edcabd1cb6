#!/usr/bin/env node
import { main } from '../dist/cmd/main.js'

await main(process.argv.slice(2))

/** The logger of a process: JSON lines, or coloured text when a person is watching. */
import { createRequire } from 'node:module'
import type pretty from 'pino-pretty'
import { pino, type Logger as PinoLogger } from 'pino'
import { type LogLevel } from './options.js'

export function createLogger(level: LogLevel): PinoLogger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  // Standard output is for answers; logs go to standard error.
  if (!process.stderr.isTTY) return pino(options, process.stderr)
  // Most servers have no terminal, and no use for it.
  const load = createRequire(import.meta.url)('pino-pretty') as typeof pretty
  return pino(
    options,
    load({ destination: 2, colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }),
  )
}

/** The logger of a process: JSON lines, or coloured text when a person is watching. */
import { pino, type Logger as PinoLogger } from 'pino'
import pretty from 'pino-pretty'
import { type LogLevel } from './options.js'

export function createLogger(level: LogLevel): PinoLogger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  // Standard output is for answers; logs go to standard error.
  if (!process.stderr.isTTY) return pino(options, process.stderr)
  return pino(
    options,
    pretty({ destination: 2, colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }),
  )
}

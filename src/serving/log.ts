/** The part of a logger this code uses; pino's logger fits. One line per event: fields, then words without data. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** Spares making fields for nobody. */
  isLevelEnabled?(level: 'debug'): boolean
}

const ignore = (): void => undefined

/** For tests and tools that want no log. */
export const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

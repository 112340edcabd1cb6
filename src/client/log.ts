/** What the client needs of a logger; pino's fits. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const ignore = (): void => undefined

export const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

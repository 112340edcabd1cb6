/** Turns what can go wrong at start into one helpful message instead of a stack trace. */
import { ConfigurationError } from '../configuration/load.js'

/** An error whose message is meant for the person at the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @param portFlag chooses the port that could not be had; by default that of the API, or of the embedded Kubernetes API */
export function explainFailure(error: unknown, debug: boolean, portFlag?: string): string {
  if (error instanceof ConfigurationError) {
    const where = error.file === undefined ? 'the configuration' : error.file
    const lines = error.problems.map(
      ({ path, message }) => `  ${path === '' ? message : `${path}: ${message}`}`,
    )
    return [`${where} cannot be used:`, ...lines].join('\n')
  }
  if (error instanceof UsageError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  if (code === 'EADDRINUSE') return busyPort(port, address, portFlag)
  if (code === 'EACCES' && port !== undefined) {
    return `Port ${port} may not be used by this user. Choose one above 1023, or ${portFlag ?? '--port'} 0 for any free one.`
  }
  return debug ? (error.stack ?? error.message) : messages(error)
}

function messages(error: Error): string {
  const { cause } = error
  return cause instanceof Error && !error.message.includes(cause.message)
    ? `${error.message}: ${messages(cause)}`
    : error.message
}

function busyPort(
  port: number | undefined,
  address: string | undefined,
  flag = port === 6443 ? '--kube-port' : '--port',
): string {
  return [
    `Port ${port ?? ''} on ${address ?? 'this machine'} is taken by another process, maybe another Orrery or a Kubernetes API.`,
    `Find it with: ss -ltnp 'sport = :${port ?? ''}'   (or: lsof -i :${port ?? ''})`,
    `Or choose another port: ${flag} 0 picks a free one.`,
  ].join('\n')
}

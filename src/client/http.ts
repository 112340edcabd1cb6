/** A transport for a client configuration. */
import { type ClientConfig } from './config.js'
import { credentialsFor } from './credentials.js'
import { HttpTransport, type HttpOptions } from './http/index.js'

export type TransportLimits = Omit<HttpOptions, 'server' | 'tls' | 'credentials'>

/** @throws TypeError when the server's address is not an http or https URL */
export function createTransport(config: ClientConfig, limits: TransportLimits = {}): HttpTransport {
  const credentials = credentialsFor(config)
  return new HttpTransport({
    ...limits,
    server: config.server,
    tls: config.tls,
    ...(credentials !== undefined && { credentials }),
  })
}

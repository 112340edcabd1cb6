/** A transport for a client configuration. */
import { type ClientConfig } from './config.js'
import { credentialsFor } from './credentials.js'
import { Http1Transport, type Http1Options } from './http1/index.js'

export type TransportLimits = Omit<Http1Options, 'server' | 'tls' | 'credentials'>

/** @throws TypeError when the server's address is not an http or https URL */
export function createTransport(config: ClientConfig, limits: TransportLimits = {}): Http1Transport {
  const credentials = credentialsFor(config)
  return new Http1Transport({
    ...limits,
    server: config.server,
    tls: config.tls,
    ...(credentials !== undefined && { credentials }),
  })
}

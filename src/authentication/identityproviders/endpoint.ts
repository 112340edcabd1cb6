/** Addresses of an OAuth 2 provider: those that are written, and for the others the ones it is known to have. */
export type Endpoint = Readonly<Record<string, string>>

export function withDefaults<E extends Endpoint>(written: Endpoint, defaults: E): E {
  const filled = Object.entries(defaults).map(([key, preset]) => [key, written[key] || preset])
  return Object.fromEntries(filled) as E
}

/** The console makes the address of the login page from it. */
export function publishedEndpoint(endpoint: Endpoint): { endpoint: Endpoint } {
  return { endpoint: { ...endpoint } }
}

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigurationError, loadConfiguration } from './load.js'
import { formatDuration, parseDuration } from './duration.js'
import { schema } from './options.js'

function load(
  text: string,
  environment: Record<string, string> = {},
  overrides: Record<string, unknown> = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'orrery-config-'))
  writeFileSync(join(directory, 'kubesphere.yaml'), text)
  return loadConfiguration({ directories: ['/nonexistent', directory], environment, overrides })
}

function faultsOf(text: string): string[] {
  try {
    load(text)
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.problems.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  throw new Error('expected the configuration to be refused')
}

describe('the configuration file', () => {
  it('is optional: the defaults are a working system', () => {
    const { options, file } = loadConfiguration({ directories: [], environment: {} })

    expect(file).toBeUndefined()
    expect(options.authentication.oauthOptions.accessTokenMaxAge).toBe(7_200_000)
    expect(options.authorization.mode).toBe('RBAC')
  })

  it('matches keys without regard to case, except in the options of a provider', () => {
    const { options } = load(`
Authentication:
  JWTSECRET: s3cret
  oauthOptions:
    identityProviders:
    - {name: gh, type: GitHubIdentityProvider, provider: {clientID: abc}}
`)

    expect(options.authentication.jwtSecret).toBe('s3cret')
    expect(options.authentication.oauthOptions.identityProviders[0]?.provider).toEqual({ clientID: 'abc' })
  })

  it('reads scalars as leniently as the original', () => {
    const { options } = load(`
redis: {port: "6379", password: 12345}
authentication: {maximumClockSkew: 5000000000, authenticateRateLimiterDuration: 10m0s, multipleLogin: 1}
network: {nsnpOptions: {allowedIngressNamespaces: "a,b"}}
`)

    expect(options.redis.port).toBe(6379)
    expect(options.redis.password).toBe('12345')
    expect(options.authentication.maximumClockSkew).toBe(5_000)
    expect(options.authentication.authenticateRateLimiterDuration).toBe(600_000)
    expect(options.authentication.multipleLogin).toBe(true)
    expect(options.network.nsnpOptions.allowedIngressNamespaces).toEqual(['a', 'b'])
  })

  it('keeps the defaults of an empty section', () => {
    expect(load('monitoring:\nauthentication:\n  oauthOptions:\n').options).toEqual(schema.initial())
  })

  it('warns about an unknown key and names the nearest known one', () => {
    const { warnings } = load('authentication: {jwtSecrt: x}\nmysql: {host: db}\n')

    expect(warnings).toEqual([
      { path: 'authentication.jwtSecrt', message: 'unknown key, ignored; did you mean jwtSecret?' },
      { path: 'mysql', message: 'unknown key, ignored' },
    ])
  })

  it('refuses wrong types with the full path of the key, all at once', () => {
    const faults = faultsOf(`
redis: {port: many}
authentication:
  oauthOptions:
    accessTokenMaxAge: soon
    clients: {name: x}
`)

    expect(faults).toEqual([
      'redis.port: expected a whole number, got "many"',
      'authentication.oauthOptions.accessTokenMaxAge: expected a duration such as 30s, 10m or 168h, got "soon"',
      'authentication.oauthOptions.clients: expected a list, got a map',
    ])
  })

  it('says where broken YAML is broken', () => {
    expect(faultsOf('redis: {port: 1\nfoo')[0]).toMatch(
      /error parsing configuration file: .*kubesphere\.yaml:\d+:\d+/,
    )
  })

  it('refuses rules between fields that the original refuses', () => {
    expect(faultsOf('authentication: {authenticateRateLimiterMaxTries: 101}')[0]).toContain(
      'loginHistoryMaximumEntries',
    )
    expect(
      faultsOf(
        'authentication: {oauthOptions: {identityProviders: [{name: a, type: T}, {name: a, type: T}]}}',
      )[0],
    ).toContain('duplicate identity provider found: a')
    expect(faultsOf('devops: {host: h}')).toHaveLength(2)
  })
})

describe('environment variables and flags', () => {
  it('override keys, whether or not the file mentions them', () => {
    const { options, variables } = load('redis: {host: a}\n', {
      KUBESPHERE_REDIS_HOST: 'b',
      KUBESPHERE_AUTHENTICATION_JWTSECRET: 'from-env',
      KUBESPHERE_REDIS_PASSWORD: '',
    })

    expect(options.redis).toMatchObject({ host: 'b', password: '' })
    expect(options.authentication.jwtSecret).toBe('from-env')
    expect(variables.sort()).toEqual(['KUBESPHERE_AUTHENTICATION_JWTSECRET', 'KUBESPHERE_REDIS_HOST'])
  })

  it('give way to flags', () => {
    const { options } = load('redis: {host: a}\n', { KUBESPHERE_REDIS_HOST: 'b' }, { 'redis.host': 'c' })

    expect(options.redis.host).toBe('c')
  })
})

describe('printing the configuration', () => {
  it('never shows secrets', () => {
    const { options } = load(
      'authentication: {jwtSecret: hush, oauthOptions: {clients: [{name: c, secret: hush}]}}',
    )

    const printed = JSON.stringify(schema.print(options))

    expect(printed).not.toContain('hush')
    expect(printed).toContain('"accessTokenMaxAge":"2h0m0s"')
  })
})

describe('durations', () => {
  it.each([
    ['10m0s', 600_000],
    ['168h', 604_800_000],
    ['1.5h', 5_400_000],
    ['1h2m3s', 3_723_000],
    ['300ms', 300],
    ['0', 0],
    ['-5s', -5_000],
    [1_000_000_000, 1_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', 'abc', '5', '5x', '1h2', {}, null])('%j is read as nanoseconds or refused', (text) => {
    const parsed = parseDuration(text)
    expect(parsed === undefined || parsed < 1).toBe(true)
  })

  it('print as Go prints them', () => {
    expect([0, 300, 5_000, 600_000, 7_200_000].map(formatDuration)).toEqual([
      '0s',
      '300ms',
      '5s',
      '10m0s',
      '2h0m0s',
    ])
  })
})

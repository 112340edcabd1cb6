import { describe, expect, it } from 'vitest'
import { type Report } from './field.js'
import { checkIdentityProvider, decodeProviderOptions } from './identityproviders.js'

const LDAP = { host: 'ldap:389', userSearchBase: 'dc=example,dc=com', loginAttribute: 'uid' }

function check(entry: object): Report {
  const report: Report = { errors: [], warnings: [] }
  const whole = {
    name: 'corp',
    type: 'LDAPIdentityProvider',
    mappingMethod: 'auto',
    provider: LDAP,
    ...entry,
  }
  checkIdentityProvider(whole, 'idp[0]', report)
  return report
}

const faults = (entry: object): string[] =>
  check(entry).errors.map(({ path, message }) => `${path}: ${message}`)

describe('an identity provider in the configuration', () => {
  it.each([
    [
      'a type that does not exist',
      { type: 'LDAPidentityProvider2' },
      /^idp\[0\]\.type: identity provider corp with type LDAPidentityProvider2 is not supported; did you mean LDAPIdentityProvider\?$/,
    ],
    [
      'a mapping method that does not exist',
      { mappingMethod: 'Auto' },
      /^idp\[0\]\.mappingMethod: expected one of auto/,
    ],
    ['no name', { name: '' }, /^idp\[0\]\.name: required/],
    ['a name that breaks the path', { name: 'a/b' }, /^idp\[0\]\.name: must not contain a slash/],
    [
      'an option of the wrong type',
      { provider: { ...LDAP, startTLS: 'perhaps' } },
      /^idp\[0\]\.provider\.startTLS: expected true or false/,
    ],
    [
      'an option that is missing',
      { provider: { ...LDAP, host: '' } },
      /^idp\[0\]\.provider\.host: required for LDAPIdentityProvider$/,
    ],
    [
      'neither issuer nor addresses',
      { type: 'OIDCIdentityProvider', provider: { clientID: 'c' } },
      /^idp\[0\]\.provider\.issuer: required for OIDCIdentityProvider unless endpoint.tokenURL is set$/,
    ],
    [
      'an address that is none',
      { type: 'GitHubIdentityProvider', provider: { clientID: 'c', endpoint: { tokenURL: 'github' } } },
      /^idp\[0\]\.provider\.endpoint\.tokenURL: expected an address/,
    ],
  ])('with %s is an error that names the key', (_, entry, fault) => {
    const found = faults(entry)

    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(fault)
  })

  it('with an unknown option is a warning that names the nearest', () => {
    const { errors, warnings } = check({ provider: { ...LDAP, managerDn2: 'cn=admin' } })

    expect(errors).toEqual([])
    expect(warnings).toEqual([
      { path: 'idp[0].provider.managerDn2', message: 'unknown key, ignored; did you mean managerDN?' },
    ])
  })

  it('has defaults, and keys in any case', () => {
    expect(decodeProviderOptions('LDAPIdentityProvider', { ...LDAP, MANAGERDN: 'cn=admin' })).toMatchObject({
      host: 'ldap:389',
      readTimeout: 15_000,
      managerDN: 'cn=admin',
      insecureSkipVerify: false,
    })
    expect(decodeProviderOptions('OIDCIdentityProvider', { issuer: 'https://id' })).toMatchObject({
      emailKey: 'email',
      preferredUsernameKey: 'preferred_username',
      endpoint: { tokenURL: '' },
    })
  })
})

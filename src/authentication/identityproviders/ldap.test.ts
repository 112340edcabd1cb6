import { writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BASE,
  type Directory,
  freePort,
  HAVE_SLAPD,
  MANAGER,
  person,
  startSlapd,
  WITHOUT_SLAPD,
} from '../../../test/fixtures/slapd.js'
import { decodeProviderOptions } from '../../configuration/identityproviders.js'
import { type Identity } from './interface.js'
import { ldapProvider } from './ldap.js'

const REFUSED = { fault: 'refused', message: 'incorrect password' }
const UNAVAILABLE = { fault: 'unavailable', message: 'the identity provider cannot be reached' }
const never = (): AbortSignal => new AbortController().signal

function provider(more: Record<string, unknown>) {
  return ldapProvider(
    decodeProviderOptions('LDAPIdentityProvider', {
      managerDN: MANAGER.dn,
      managerPassword: MANAGER.password,
      userSearchBase: BASE,
      loginAttribute: 'uid',
      mailAttribute: 'mail',
      readTimeout: 5_000,
      ...more,
    }),
  )
}

describe.skipIf(!HAVE_SLAPD)(`a real LDAP directory${HAVE_SLAPD ? '' : `, ${WITHOUT_SLAPD}`}`, () => {
  let directory: Directory

  beforeAll(async () => {
    directory = await startSlapd([
      person('Ann', 'right', 'mail: ann@example.com'),
      person('bob', 'right', 'employeeType: contractor'),
      person('twin', 'right', 'employeeNumber: 1'),
      `dn: cn=twin,${BASE}\nobjectClass: inetOrgPerson\nuid: twin\ncn: twin\nsn: twin\nuserPassword: right`,
      person('we*ird)(', 'right'),
    ])
  })

  afterAll(() => directory?.close())

  const login = (username: string, password: string, more: Record<string, unknown> = {}): Promise<Identity> =>
    provider({ host: directory.plain, ...more }).login(username, password, never())

  it('vouches for who knows the password, by the name it has itself', async () => {
    expect(await login('aNN', 'right')).toEqual({ uid: 'Ann', username: 'Ann', email: 'ann@example.com' })
  })

  it.each([
    ['a wrong password', 'Ann', 'wrong'],
    ['somebody unknown', 'nobody', 'right'],
    ['a name that two entries have', 'twin', 'right'],
    ['a name that is a pattern', 'A*', 'right'],
    ['a name that is a filter', 'Ann)(uid=*', 'right'],
    ['a name with a NUL', 'Ann\0', 'right'],
  ])('refuses %s', async (_, username, password) => {
    await expect(login(username, password)).rejects.toMatchObject(REFUSED)
  })

  it('takes names with the characters of filters for what they are', async () => {
    expect(await login('we*ird)(', 'right')).toMatchObject({ uid: 'we*ird)(' })
  })

  it.each(['(employeeType=contractor)', 'employeeType=contractor'])(
    'lets in only those who match %s',
    async (userSearchFilter) => {
      expect(await login('bob', 'right', { userSearchFilter })).toMatchObject({ uid: 'bob' })
      await expect(login('Ann', 'right', { userSearchFilter })).rejects.toMatchObject(REFUSED)
    },
  )

  it.each([
    ['the manager is refused', { managerPassword: 'wrong' }],
    ['the search base does not exist', { userSearchBase: 'dc=elsewhere' }],
    ['nobody may search anonymously', { managerDN: '' }],
  ])('is unavailable, and blames nobody, when %s', async (_, more) => {
    await expect(login('Ann', 'right', more)).rejects.toMatchObject(UNAVAILABLE)
  })

  describe('over TLS', () => {
    const rootCAData = (): string => Buffer.from(directory.ca).toString('base64')
    const tls = (more: Record<string, unknown>): Promise<Identity> =>
      login('Ann', 'right', { host: directory.secure, startTLS: true, ...more })

    it('is reached with its authority as data, or in a file', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ldap-ca-'))
      writeFileSync(join(folder, 'ca.pem'), directory.ca)

      expect(await tls({ rootCAData: rootCAData() })).toMatchObject({ uid: 'Ann' })
      expect(await tls({ rootCA: join(folder, 'ca.pem') })).toMatchObject({ uid: 'Ann' })

      rmSync(folder, { recursive: true })
    })

    it('is not trusted without its authority, unless verification is skipped', async () => {
      await expect(tls({})).rejects.toMatchObject(UNAVAILABLE)
      expect(await tls({ insecureSkipVerify: true })).toMatchObject({ uid: 'Ann' })
    })

    it('is reached by the StartTLS operation when host is an address', async () => {
      const host = `ldap://${directory.plain}`

      expect(await tls({ host, rootCAData: rootCAData() })).toMatchObject({ uid: 'Ann' })
      await expect(tls({ host })).rejects.toMatchObject(UNAVAILABLE)
    })

    it('is no provider with a file of authorities that is not there', () => {
      expect(() => provider({ host: directory.secure, rootCA: '/nonexistent/ca.pem' })).toThrow('ENOENT')
      expect(() => provider({ host: directory.secure, rootCAData: 'bm9uZQ==' })).toThrow('no PEM certificate')
    })
  })
})

describe('an LDAP directory that is not there', () => {
  it('is unavailable', async () => {
    const host = `127.0.0.1:${await freePort()}`

    await expect(provider({ host }).login('ann', 'right', never())).rejects.toMatchObject(UNAVAILABLE)
  })

  it('is given up after the read timeout, and when the caller has gone', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const gone = new AbortController()
    const reason = new Error('gone')

    setTimeout(() => gone.abort(reason), 50)
    const logins = [
      provider({ host, readTimeout: 100 }).login('ann', 'right', never()),
      provider({ host }).login('ann', 'right', gone.signal),
    ]

    expect(await Promise.allSettled(logins)).toMatchObject([{ reason: UNAVAILABLE }, { reason }])
    silent.close()
  })
})

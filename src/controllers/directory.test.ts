/** Users in a real LDAP directory: written by the controllers, and logging in there with their password. */
import { Client } from 'ldapts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Controlled, startControlled } from '../../test/fixtures/controlled.js'
import {
  BASE,
  type Directory,
  freePort,
  HAVE_SLAPD,
  MANAGER,
  startSlapd,
  WITHOUT_SLAPD,
} from '../../test/fixtures/slapd.js'
import { eventually } from '../client/testing/eventually.js'
import { USERS } from '../tenancy/resources.js'

const EVENTS = { group: '', version: 'v1', resource: 'events', kind: 'Event' }

const withDirectory = (host: string): Promise<Controlled> =>
  startControlled({
    controllers: ['user', 'ldap'],
    options: {
      'ldap.host': host,
      'ldap.managerDN': MANAGER.dn,
      'ldap.managerPassword': MANAGER.password,
      'ldap.userSearchBase': BASE,
    },
  })

const user = (world: Controlled, name: string, password: string) =>
  world.create(USERS, { metadata: { name }, spec: { email: `${name}@example.com`, password } })

describe.skipIf(!HAVE_SLAPD)(`users in a directory${HAVE_SLAPD ? '' : `, ${WITHOUT_SLAPD}`}`, () => {
  let directory: Directory
  let world: Controlled

  beforeAll(async () => {
    directory = await startSlapd([])
    world = await withDirectory(directory.plain)
  })
  afterAll(async () => {
    await world?.close()
    await directory?.close()
  })

  async function bound<T>(dn: string, password: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ url: `ldap://${directory.plain}` })
    try {
      await client.bind(dn, password)
      return await work(client)
    } finally {
      await client.unbind()
    }
  }
  const login = (name: string, password: string) =>
    bound(`uid=${name},${BASE}`, password, async () => undefined)
  const entries = (filter: string) =>
    bound(MANAGER.dn, MANAGER.password, async (client) => {
      const { searchEntries } = await client.search(BASE, { scope: 'sub', filter })
      return searchEntries
    })

  it('log in there with the password they have here, whichever way it changes', async () => {
    await user(world, 'lea', 'P@88w0rd')
    await eventually(() => login('lea', 'P@88w0rd'))
    expect(await entries('(uid=lea)')).toMatchObject([
      { dn: `uid=lea,${BASE}`, cn: 'lea', sn: 'lea', mail: 'lea@example.com' },
    ])

    await world.patch(USERS, 'lea', { spec: { password: 'An0ther!' } })

    await eventually(() => login('lea', 'An0ther!'))
    await expect(login('lea', 'P@88w0rd')).rejects.toThrow()
  })

  it('never have their password written in plain text', async () => {
    await user(world, 'nia', 'P@88w0rd')
    await eventually(() => login('nia', 'P@88w0rd'))

    const [entry] = await entries('(uid=nia)')
    expect(String(entry?.['userPassword'])).toMatch(/^\{CRYPT\}\$2b\$10\$/)
  })

  it('leave it when they are deleted', async () => {
    await user(world, 'ole', 'P@88w0rd')
    await eventually(() => login('ole', 'P@88w0rd'))

    await world.delete(USERS, 'ole')
    await eventually(async () => expect(await world.read(USERS, 'ole')).toBeUndefined())

    expect(await entries('(uid=ole)')).toEqual([])
  })
})

describe('a directory that is not there', () => {
  it('is warned of, and keeps nobody from becoming active or from being deleted', async () => {
    const world = await withDirectory(`127.0.0.1:${await freePort()}`)
    await user(world, 'tim', 'P@88w0rd')

    await eventually(async () =>
      expect(await world.read(USERS, 'tim')).toMatchObject({ status: { state: 'Active' } }),
    )
    await eventually(async () =>
      expect(await world.list(EVENTS, 'default')).toContainEqual(
        expect.objectContaining({
          type: 'Warning',
          reason: 'FailedSync',
          message: expect.stringContaining('Failed to sync: the directory ldap://127.0.0.1:') as string,
          source: { component: 'ldap-controller' },
        }),
      ),
    )
    await world.delete(USERS, 'tim')
    await eventually(async () => expect(await world.read(USERS, 'tim')).toBeUndefined())
    await world.close()
  })
})

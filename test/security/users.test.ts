/** Accounts over HTTP on the whole product: what people may do with their own, and managers with those of others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, good, userObject } from '../fixtures/cast.js'
import { type Answer, type Client, PASSWORD, type Product, startProduct } from '../fixtures/product.js'

const IAM = '/kapis/iam.kubesphere.io/v1alpha2'
const NATIVE = '/apis/iam.kubesphere.io/v1alpha2'
const ROLE = 'iam.kubesphere.io/globalrole'
const HASH = /\$2[aby]\$/

let product: Product
let root: Client
let um: Client

beforeAll(async () => {
  product = await startProduct()
  root = await product.as('admin')
  good(await root.post(`${IAM}/users`, userObject('um', 'users-manager')))
  um = await product.as('um')
})

afterAll(() => product.close())

/** A user of that name who can log in. */
async function person(name: string, role = 'platform-regular', more: object = {}): Promise<Client> {
  good(await root.post(`${IAM}/users`, userObject(name, role, more)))
  return product.as(name)
}

async function stored(name: string): Promise<Answer['json']> {
  return (await root.get(`${IAM}/users/${name}`)).json
}

/** A PUT of what is stored, changed; again when a controller was faster, as one does who has just logged in. */
async function put(
  as: Client,
  name: string,
  change: (user: Answer['json']) => void,
  query = '',
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const user = await stored(name)
    change(user)
    const answer = await as.put(`${IAM}/users/${name}${query}`, user)
    if (!answer.text.startsWith('Operation cannot be fulfilled') || tries === 20) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function refreshOf(name: string, password = PASSWORD): Promise<() => Promise<Answer>> {
  const { json } = await product.login(name, password)
  const form = { grant_type: 'refresh_token', refresh_token: json.refresh_token as string }
  const body = new URLSearchParams({ ...form, client_id: 'kubesphere', client_secret: 'kubesphere' })
  return async () => {
    const response = await fetch(`${product.url}/oauth/token`, { method: 'POST', body })
    return { status: response.status, text: await response.text(), json: undefined }
  }
}

describe('creating a user', () => {
  it('hashes the password, binds the role, and soon the user is active', async () => {
    const created = await root.post(`${IAM}/users`, userObject('lin', 'platform-regular'))

    expect(created.status).toBe(200)
    expect(created.json.spec).not.toHaveProperty('password')
    expect(created.text).not.toMatch(HASH)
    const binding = await root.get(`${NATIVE}/globalrolebindings/lin-platform-regular`)
    expect(binding.json.metadata.labels).toEqual({ 'iam.kubesphere.io/user-ref': 'lin' })
    await eventually(async () => {
      const user = await stored('lin')
      expect(user.metadata.annotations[ROLE]).toBe('platform-regular')
      expect(user.status.state).toBe('Active')
    })
  })

  it('with a role that does not exist creates nobody', async () => {
    const answer = await root.post(`${IAM}/users`, userObject('orphan', 'nosuch'))

    expect(answer.status).toBe(404)
    expect((await root.get(`${IAM}/users/orphan`)).status).toBe(404)
  })

  it('by a users manager does not make a platform administrator', async () => {
    const answer = await um.post(`${IAM}/users`, userObject('climber', 'platform-admin'))

    expect(answer.status).toBe(403)
    expect((await root.get(`${IAM}/users/climber`)).status).toBe(404)
  })

  it('as a trial creates nobody', async () => {
    const answer = await root.post(`${IAM}/users?dryRun=All`, userObject('trial', 'platform-regular'))

    expect(answer.status).toBe(200)
    expect((await root.get(`${IAM}/users/trial`)).status).toBe(404)
    expect((await root.get(`${NATIVE}/globalrolebindings/trial-platform-regular`)).status).toBe(404)
    expect((await root.post(`${IAM}/users?dryRun=maybe`, userObject('trial', ''))).status).toBe(400)
  })

  it.each([
    ['short', 'short1A'],
    ['without a digit', 'NODIGITSupper'],
    ['without an upper-case letter', 'alllowercase1'],
    ['a hash', '$2a$10$zcHepmzfKPoxCVCYZr5K7ORPZZ/ySe9p/7IUb/8u./xHrnSX2LOCO'],
    ['the name', 'Weakling-01'],
    ['longer than can be hashed', `Aa1${'ä'.repeat(40)}`],
  ])('refuses a password that is %s', async (_, password) => {
    const answer = await root.post(`${IAM}/users`, userObject('weakling-01', '', { password }))

    expect(answer.status).toBe(422)
    expect(answer.text).not.toContain(password)
    expect((await root.get(`${IAM}/users/weakling-01`)).status).toBe(404)
  })

  it('takes a password of eight letters with a digit and a capital', async () => {
    const user = userObject('strong', 'platform-regular', { password: 'Longer1pass' })

    expect((await root.post(`${IAM}/users`, user)).status).toBe(200)

    await eventually(async () => expect((await product.login('strong', 'Longer1pass')).status).toBe(200))
  })

  it('keeps no groups, state or finalizers that a client sends', async () => {
    const user = userObject('plain', '', { groups: ['blue-admins'] }) as { metadata: object }
    const answer = await um.post(`${IAM}/users`, {
      ...user,
      metadata: { ...user.metadata, finalizers: ['example.com/stuck'] },
      status: { state: 'Disabled' },
    })

    expect(answer.status).toBe(200)
    await eventually(async () => expect((await stored('plain')).status.state).toBe('Active'))
    const { spec, metadata } = await stored('plain')
    expect(spec.groups).toBeUndefined()
    expect(metadata.finalizers ?? []).not.toContain('example.com/stuck')
  })

  it('under a name that bindings still give roles to is for who holds them', async () => {
    good(
      await root.post(`${NATIVE}/globalrolebindings`, {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'GlobalRoleBinding',
        metadata: { name: 'left-behind' },
        subjects: [{ apiGroup: 'iam.kubesphere.io', kind: 'User', name: 'ghost' }],
        roleRef: { apiGroup: 'iam.kubesphere.io', kind: 'GlobalRole', name: 'platform-admin' },
      }),
    )

    await eventually(async () =>
      expect((await um.post(`${IAM}/users?dryRun=All`, userObject('ghost', ''))).status).toBe(403),
    )
    good(await root.delete(`${NATIVE}/globalrolebindings/left-behind`))
  })
})

describe('an e-mail address', () => {
  it('belongs to one user, in whatever letters', async () => {
    await person('post')

    const taken = await root.post(`${IAM}/users`, userObject('post2', '', { email: 'POST@Example.com' }))
    expect(taken.status).toBe(409)
    await person('post3')
    expect((await put(root, 'post3', (user) => (user.spec.email = 'Post@example.com'))).status).toBe(409)
  })

  it('is one of two that ask for it in the same moment', async () => {
    const answers = await Promise.all(
      ['twin-a', 'twin-b', 'twin-c'].map((name) =>
        root.post(`${IAM}/users`, userObject(name, '', { email: 'twins@example.com', password: '' })),
      ),
    )

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
  })

  it('must be one, or empty', async () => {
    const bad = userObject('mail', '', { email: 'not-an-address' })
    expect((await root.post(`${IAM}/users`, bad)).status).toBe(400)

    good(await root.post(`${IAM}/users`, userObject('mail', '', { email: '' })))
    expect((await put(root, 'mail', (user) => (user.spec.email = 'nor-this'))).status).toBe(400)
  })
})

describe('changing another account', () => {
  it('by a users manager gives no role that the manager does not hold', async () => {
    await person('climb')

    const answer = await put(um, 'climb', (user) => {
      user.metadata.annotations[ROLE] = 'platform-admin'
      user.spec.lang = 'zh'
    })

    expect(answer.status).toBe(403)
    const user = await stored('climb')
    expect(user.metadata.annotations[ROLE]).toBe('platform-regular')
    expect(user.spec.lang).toBeUndefined()
  })

  it('replaces the role', async () => {
    await person('moved')

    const answer = await put(um, 'moved', (user) => (user.metadata.annotations[ROLE] = 'users-manager'))

    expect(answer.status).toBe(200)
    expect(answer.json.metadata.annotations[ROLE]).toBe('users-manager')
    await eventually(async () => {
      expect((await stored('moved')).metadata.annotations[ROLE]).toBe('users-manager')
      const { json } = await root.get(`${NATIVE}/globalrolebindings`)
      const names = json.items.map(({ metadata }: Answer['json']) => metadata.name)
      expect(names.filter((name: string) => name.startsWith('moved-'))).toEqual(['moved-users-manager'])
    })
  })

  it('that may more is refused, whatever the change', async () => {
    await person('chief', 'platform-admin')

    const path = `${IAM}/users/chief`
    expect((await put(um, 'chief', (user) => (user.spec.lang = 'zh'))).status).toBe(403)
    expect((await um.put(`${path}/password`, { password: 'Another1pass' })).status).toBe(403)
    expect((await um.delete(path)).status).toBe(403)
    expect((await product.login('chief')).status).toBe(200)
  })

  it('that has changed meanwhile is refused with 409', async () => {
    await person('stale')
    const before = await stored('stale')
    good(await put(root, 'stale', (user) => (user.spec.lang = 'zh')))

    expect((await root.put(`${IAM}/users/stale`, before)).status).toBe(409)
    delete before.metadata.resourceVersion
    expect((await root.put(`${IAM}/users/stale`, before)).status).toBe(422)
  })

  it('as a trial changes nothing', async () => {
    await person('untouched')
    const change = (user: Answer['json']): void => {
      user.spec.lang = 'zh'
      user.metadata.annotations[ROLE] = 'users-manager'
    }

    expect((await put(root, 'untouched', change, '?dryRun=All')).status).toBe(200)
    const after = await stored('untouched')
    expect(after.spec.lang).toBeUndefined()
    expect(after.metadata.annotations[ROLE]).toBe('platform-regular')
  })

  it('speaks of users who are not there as 404', async () => {
    const nobody = { metadata: { name: 'nobody' }, spec: { email: '' } }
    expect((await root.get(`${IAM}/users/nobody`)).status).toBe(404)
    expect((await root.put(`${IAM}/users/nobody`, nobody)).status).toBe(404)
    expect((await root.put(`${IAM}/users/nobody/password`, { password: PASSWORD })).status).toBe(404)
    expect((await root.delete(`${IAM}/users/nobody`)).status).toBe(404)
  })
})

describe('switching an account off', () => {
  it('refuses its tokens and logins, until it is switched on', async () => {
    const off = await person('off')
    const refresh = await refreshOf('off')

    good(await put(um, 'off', (user) => (user.status = { state: 'Disabled' })))
    await eventually(async () => expect((await off.get(`${IAM}/users/off`)).status).toBe(401))
    expect((await product.login('off')).status).toBe(400)
    expect((await refresh()).status).toBe(400)

    good(await put(um, 'off', (user) => (user.status = { state: 'Active' })))
    await eventually(async () => expect((await off.get(`${IAM}/users/off`)).status).toBe(200))
    expect((await product.login('off')).status).toBe(200)
  })

  it('is not undone by a change that says nothing of it, or nonsense', async () => {
    await person('still-off')
    good(await put(root, 'still-off', (user) => (user.status = { state: 'Disabled' })))

    good(await put(root, 'still-off', (user) => (user.status = { state: 'Sleeping' })))
    good(await put(root, 'still-off', (user) => delete user.status))

    expect((await stored('still-off')).status.state).toBe('Disabled')
  })

  it('of the only administrator is refused', async () => {
    const { items } = (await root.get(`${IAM}/users?globalrole=platform-admin`)).json
    for (const { metadata } of items as Answer['json'][])
      if (metadata.name !== 'admin') good(await root.delete(`${IAM}/users/${metadata.name}`))

    const admin = await stored('admin')
    expect((await put(root, 'admin', (user) => (user.status = { state: 'Disabled' }))).status).toBe(409)
    expect((await root.delete(`${IAM}/users/admin`)).status).toBe(409)
    const demoted = { ...admin, metadata: { ...admin.metadata, annotations: { [ROLE]: 'platform-regular' } } }
    expect((await root.put(`${IAM}/users/admin`, demoted)).status).toBe(409)
    expect((await stored('admin')).metadata.annotations[ROLE]).toBe('platform-admin')
  })
})

describe('changing the own account', () => {
  it('changes texts and address, and nothing else', async () => {
    const own = await person('own')

    const answer = await put(own, 'own', (user) => {
      user.spec = { email: 'new@example.com', lang: 'zh', displayName: 'Own', groups: ['blue-admins'] }
      user.metadata.labels = { 'iam.kubesphere.io/identify-provider': 'corp' }
      user.metadata.finalizers = []
      user.metadata.annotations['iam.kubesphere.io/granted-clusters'] = 'host'
      user.spec.password = 'Sneaked-in1'
    })

    expect(answer.status).toBe(200)
    expect(answer.text).not.toMatch(HASH)
    const user = await stored('own')
    expect(user.spec).toMatchObject({ email: 'new@example.com', lang: 'zh', displayName: 'Own' })
    expect(user.spec.groups).toBeUndefined()
    expect(user.metadata.labels?.['iam.kubesphere.io/identify-provider']).toBeUndefined()
    expect(user.metadata.annotations).not.toHaveProperty(['iam.kubesphere.io/granted-clusters'])
    expect((await product.login('own')).status).toBe(200)
  })

  it('needs no version', async () => {
    const own = await person('versionless')

    const body = { metadata: { name: 'versionless' }, spec: { email: 'versionless@example.com', lang: 'en' } }
    expect((await own.put(`${IAM}/users/versionless`, body)).status).toBe(200)
    expect((await stored('versionless')).spec.lang).toBe('en')
  })

  it('does not give oneself a role', async () => {
    const own = await person('ambitious')

    const answer = await put(own, 'ambitious', (user) => (user.metadata.annotations[ROLE] = 'platform-admin'))

    expect(answer.status).toBe(403)
    expect(answer.text).toContain('update global role binding is not allowed')
  })

  it('can switch it off but never on', async () => {
    const own = await person('leaving')

    expect((await put(own, 'leaving', (user) => (user.status = { state: 'Disabled' }))).status).toBe(200)
    await eventually(async () =>
      expect((await put(own, 'leaving', (user) => (user.status = { state: 'Active' }))).status).toBe(401),
    )
  })

  it('deletes it, and the tokens are worth nothing', async () => {
    const own = await person('gone')
    const refresh = await refreshOf('gone')

    expect((await own.delete(`${IAM}/users/gone`)).status).toBe(200)

    await eventually(async () => expect((await own.get(`${IAM}/users/gone`)).status).toBe(401))
    expect((await refresh()).status).toBe(400)
    expect((await product.login('gone')).status).toBe(400)
  })
})

describe('a new password', () => {
  it('of oneself needs the old one, and ends the sessions', async () => {
    const own = await person('pass')
    const refresh = await refreshOf('pass')
    const path = `${IAM}/users/pass/password`

    expect((await own.put(path, { currentPassword: 'wrong', password: 'Another1pass' })).status).toBe(400)
    expect((await own.put(path, { password: 'Another1pass' })).status).toBe(400)
    expect((await own.put(path, { currentPassword: PASSWORD, password: 'weak' })).status).toBe(422)
    expect((await own.get(`${IAM}/users/pass`)).status).toBe(200)

    good(await own.put(path, { currentPassword: PASSWORD, password: 'Another1pass' }))
    expect((await own.get(`${IAM}/users/pass`)).status).toBe(401)
    expect((await refresh()).status).toBe(400)
    expect((await product.login('pass')).status).toBe(400)
    expect((await product.login('pass', 'Another1pass')).status).toBe(200)
  })

  it('is set by a users manager without proof, but not with a wrong one', async () => {
    await person('forgot')
    const path = `${IAM}/users/forgot/password`

    expect((await um.put(path, { currentPassword: 'wrong', password: 'Another1pass' })).status).toBe(400)
    good(await um.put(path, { password: 'Another1pass' }))
    expect((await product.login('forgot', 'Another1pass')).status).toBe(200)
  })

  it('cannot be guessed at for ever with a stolen token', async () => {
    const own = await person('guessed')
    const path = `${IAM}/users/guessed/password`
    for (let guess = 0; guess < 5; guess++)
      expect((await own.put(path, { currentPassword: `Guess-${guess}`, password: PASSWORD })).status).toBe(
        400,
      )

    const right = await own.put(path, { currentPassword: PASSWORD, password: 'Another1pass' })

    expect(right.status).toBe(429)
    expect((await product.login('guessed')).status).toBe(200)
  })

  it('as a trial is not set', async () => {
    await person('tried')

    good(await root.put(`${IAM}/users/tried/password?dryRun=All`, { password: 'Another1pass' }))

    expect((await product.login('tried')).status).toBe(200)
  })
})

describe('logins', () => {
  it('are on record, the latest first', async () => {
    const own = await person('logged')
    await product.login('logged', 'wrong')
    await product.login('logged')

    await eventually(async () => {
      const { json } = await own.get(`${IAM}/users/logged/loginrecords?type=Token&limit=2`)
      expect(json.items).toHaveLength(2)
      expect(json.totalItems).toBeGreaterThanOrEqual(3)
    })
    const list = async (query: string): Promise<Answer['json']> =>
      (await own.get(`${IAM}/users/logged/loginrecords?${query}`)).json
    const [all, newest] = [await list('type=Token'), await list('type=Token&limit=2')]
    expect(newest).toEqual({ items: all.items.slice(0, 2), totalItems: all.items.length })
    const times = all.items.map(({ metadata }: Answer['json']) => metadata.creationTimestamp) as string[]
    expect(times).toEqual([...times].sort().reverse())
    const json = await list('ascending=true')
    expect(new Set(json.items.map(({ spec }: Answer['json']) => spec.success))).toEqual(
      new Set([true, false]),
    )
    expect((await own.get(`${IAM}/users/um/loginrecords`)).status).toBe(403)
    expect((await root.get(`${IAM}/users/nobody/loginrecords`)).json).toEqual({ items: [], totalItems: 0 })
  })

  it('that fail five times lock the account', async () => {
    await person('locked')
    for (let tries = 0; tries < 5; tries++) await product.login('locked', 'wrong')

    await eventually(async () => expect((await stored('locked')).status.state).toBe('AuthLimitExceeded'))
    expect((await product.login('locked')).status).toBe(429)

    good(await put(um, 'locked', (user) => (user.status = { state: 'Active' })))
    await eventually(async () => expect((await product.login('locked')).status).toBe(200))
  })
})

describe('a good login', () => {
  it('does not make four bad ones forgotten', async () => {
    await person('careless')
    for (let tries = 0; tries < 4; tries++) await product.login('careless', 'wrong')
    expect((await product.login('careless')).status).toBe(200)

    await product.login('careless', 'wrong')

    await eventually(async () => expect((await stored('careless')).status.state).toBe('AuthLimitExceeded'))
  })
})

describe('lists of users', () => {
  it('are sorted, paged and filtered, and hold no password', async () => {
    const all = await root.get(`${IAM}/users?sortBy=name&ascending=true`)
    expect(all.text).not.toMatch(HASH)
    const names = all.json.items.map(({ metadata }: Answer['json']) => metadata.name) as string[]
    expect(names).toEqual([...names].sort())

    const second = await root.get(`${IAM}/users?page=2&limit=1&sortBy=name&ascending=true`)
    expect(second.json.items[0].metadata.name).toBe(names[1])
    expect(second.json.totalItems).toBe(names.length)
    expect((await root.get(`${IAM}/users?bogus=1`)).json).toEqual({ items: [], totalItems: 0 })
  })

  it('show the role that is bound, not what the object says', async () => {
    await person('honest')
    const path = `${NATIVE}/users/honest`
    good(await root.patch(path, { metadata: { annotations: { [ROLE]: 'platform-admin' } } }))

    const { json } = await root.get(`${IAM}/users?name=honest`)
    expect(json.items[0].metadata.annotations[ROLE]).toBe('platform-regular')
    const filtered = await root.get(`${IAM}/users?name=honest&annotation=${ROLE}=platform-admin`)
    expect(filtered.json.totalItems).toBe(0)
  })

  it('asked for again follow the role and the object', async () => {
    await person('watched')
    const shown = async (): Promise<Answer['json']> =>
      (await root.get(`${IAM}/users?name=watched`)).json.items[0]
    const before = await shown()
    expect(await shown()).toEqual(before)
    expect(before.metadata.annotations[ROLE]).toBe('platform-regular')
    expect((await shown()).spec).toHaveProperty('email')

    await put(root, 'watched', (user) => (user.metadata.annotations[ROLE] = 'users-manager'))
    await put(root, 'watched', (user) => (user.spec.description = 'changed'))
    await eventually(async () => {
      const after = await shown()
      expect(after.metadata.annotations[ROLE]).toBe('users-manager')
      expect(after.spec.description).toBe('changed')
    })
    expect(await shown()).toEqual(await shown())
  })

  it('of who is bound where are for those who may list members there', async () => {
    const curious = await person('curious')

    for (const scope of ['workspace=system-workspace', 'namespace=default', 'cluster=true'])
      expect((await curious.get(`${IAM}/users?${scope}`)).status).toBe(403)
    expect((await curious.get(`${IAM}/users`)).status).toBe(200)
    expect((await root.get(`${IAM}/users?workspace=system-workspace`)).status).toBe(200)
  })
})

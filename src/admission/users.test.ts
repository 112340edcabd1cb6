import { describe, expect, it } from 'vitest'
import { type AdmissionReviewRequest } from '../apimachinery/admission/index.js'
import { userWebhook } from './users.js'

function webhook() {
  const clock = { now: 0 }
  const known = new Map<string, Set<string>>()
  const { handle } = userWebhook({
    users: { pending: () => undefined, namesByEmail: (email) => known.get(email) ?? new Set() },
    now: () => clock.now,
  })
  const ask = (name: string, email: string, more: Partial<AdmissionReviewRequest> = {}) =>
    handle(
      {
        uid: name,
        operation: 'CREATE',
        resource: { group: 'iam.kubesphere.io', version: 'v1alpha2', resource: 'users' },
        object: { metadata: { name }, spec: { email } },
        ...more,
      },
      new AbortController().signal,
    )
  return { ask, clock }
}

describe('an address that two ask for before the first is stored', () => {
  it('goes to the first, in whatever letters', async () => {
    const { ask } = webhook()

    expect(await ask('ann', 'x@example.com')).toMatchObject({ allowed: true })
    expect(await ask('bob', 'X@Example.com')).toMatchObject({ allowed: false, status: { code: 409 } })
    expect(await ask('ann', 'x@example.com')).toMatchObject({ allowed: true })
  })

  it('is free again when the first has not come to be', async () => {
    const { ask, clock } = webhook()
    await ask('ann', 'x@example.com')

    clock.now += 2_000

    expect(await ask('bob', 'x@example.com')).toMatchObject({ allowed: true })
  })

  it('is not held for a trial', async () => {
    const { ask } = webhook()
    await ask('ann', 'x@example.com', { dryRun: true })

    expect(await ask('bob', 'x@example.com')).toMatchObject({ allowed: true })
  })
})

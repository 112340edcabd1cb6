/** What becomes of an account when somebody changes it. */
import { expect, it } from 'vitest'
import { changedUser } from './changes.js'

it('an account unlocked in the second of the last failed login is not locked again by it', () => {
  const stored = { metadata: { name: 'ann' }, spec: {}, status: { state: 'AuthLimitExceeded' as const } }
  const wanted = { metadata: { name: 'ann' }, spec: {}, state: 'Active' as const }
  const failedAt = Date.parse('2026-01-01T12:00:00.300Z')

  const { status } = changedUser(stored, wanted, true, new Date('2026-01-01T12:00:00.800Z'))

  expect(status?.state).toBe('Active')
  expect(Date.parse(status?.lastTransitionTime ?? '')).toBeGreaterThan(failedAt)
})

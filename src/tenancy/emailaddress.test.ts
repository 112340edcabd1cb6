import { describe, expect, it } from 'vitest'
import { emailKey, isEmailAddress } from './emailaddress.js'

describe('an e-mail address', () => {
  it.each([
    'ann@example.com',
    'Ann Lee <ann@example.com>',
    '"a b"@example.com',
    'o.k+tag@sub.example.org',
    'x@y',
  ])('%s is one', (text) => expect(isEmailAddress(text)).toBe(true))

  it.each([
    'notanemail',
    'a@',
    '@b',
    'a@b@c',
    'a b@example.com',
    '.a@example.com',
    'a..b@example.com',
    'a@b c',
  ])('%s is none', (text) => expect(isEmailAddress(text)).toBe(false))

  it('is judged in time however it is written', () => {
    const before = process.cpuUsage()
    for (const text of [
      `${'a'.repeat(300)}@`,
      `${'a .'.repeat(100)}<`,
      `${'"'.repeat(300)}`,
      `${'a.'.repeat(150)}@b`,
    ])
      expect(isEmailAddress(text)).toBe(false)
    expect(process.cpuUsage(before).user).toBeLessThan(500_000) // µs
  })

  it('is the same in other letters, and with a name', () => {
    expect(emailKey('Ann <Ann@Example.com>')).toBe(emailKey('ann@example.com'))
  })
})

import { describe, expect, it } from 'vitest'
import * as fc from '../../test/fixtures/properties.js'
import { encodePath, parseTarget } from './path.js'

describe('the path of a request target', () => {
  it.each([
    ['/kapis/version', '/kapis/version'],
    ['/kapis/version/', '/kapis/version/'],
    ['/', '/'],
    ['/kapis/version%2F', '/kapis/version/'],
    ['/kapis/%76ersion', '/kapis/version'],
    ['/KAPIS/version', '/KAPIS/version'],
    ['/kapis;a=b/version', '/kapis;a=b/version'],
    ['/kapis/version;x', '/kapis/version;x'],
    ['/api/v1/namespaces/a%2Fb', '/api/v1/namespaces/a/b'],
    ['/x/%2541', '/x/%41'],
    ['/x/caf%C3%A9', '/x/café'],
    ['/x/caf\u00c3\u00a9', '/x/café'],
    ['/x/.well-known', '/x/.well-known'],
    ['/x/a..b', '/x/a..b'],
    ['http://host:80/kapis/version', '/kapis/version'],
    ['http://host', '/'],
  ])('reads %s as %s', (url, path) => {
    const target = parseTarget(url)
    expect(target.path).toBe(path)
    expect(target.redirect).toBeUndefined()
    expect(decodeURIComponent(target.encoded)).toBe(path)
  })

  it.each([
    ['//kapis/version', '/kapis/version'],
    ['/kapis/../kapis/version', '/kapis/version'],
    ['/kapis/%2e%2e/kapis/version?a=b', '/kapis/version?a=b'],
    ['/kapis/%2E%2E%2Fkapis/version', '/kapis/version'],
    ['/kapis/version%2F%2F', '/kapis/version/'],
    ['/%2Fevil.example/', '/evil.example/'],
    ['//evil.example', '/evil.example'],
    ['/./x', '/x'],
    ['/../../etc', '/etc'],
    ['/oauth/../api/v1/secrets', '/api/v1/secrets'],
    ['/a/..', '/'],
  ])('sends %s to %s', (url, redirect) => {
    expect(parseTarget(url).redirect).toBe(redirect)
  })

  it.each([
    '/x%5C..%5Cy',
    '/x\\..\\y',
    '/%',
    '/%zz',
    '/%ff',
    '/a%00b',
    '/a%0d%0ab',
    '/%C3',
    '*',
    'kapis',
    '/%ED%A0%80',
  ])('refuses %s', (url) => {
    expect(() => parseTarget(url)).toThrow(expect.objectContaining({ code: 400 }) as Error)
  })

  it('gives a separator of some servers one meaning in the query', () => {
    expect(parseTarget('/api/v1/pods?x;watch=true').search).toBe('x%3Bwatch=true')
    expect(parseTarget('/x?a=1#b').search).toBe('a=1%23b')
  })

  it('never yields an unclean path without a redirect, and encodes what it decoded', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2f',
      ';',
      'a',
      'kapis',
      '%25',
      '%41',
      '?',
      '#',
      '@',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = parseTarget('/' + pieces.join(''))
        const { path, encoded, redirect } = target
        expect(encoded).not.toMatch(/\/\/|\/\.{1,2}(\/|$)|[?#]|%2f/i)
        if (redirect === undefined) expect(decodeURIComponent(encoded)).toBe(path)
        expect(parseTarget(encoded)).toMatchObject({ encoded })
        expect(parseTarget(encoded).redirect).toBeUndefined()
      }),
    )
  })

  it('leaves in place what needs no escape', () => {
    expect(encodePath('/a$&+,:;=@-_.~b/c d')).toBe('/a$&+,:;=@-_.~b/c%20d')
  })
})

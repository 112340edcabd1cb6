import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import { type AddressInfo } from 'node:net'
import { type TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bits, element, fromPem, oid, sequence, TAG, toPem, utf8 } from './der.js'
import { EARLIER_AUTHORITY, EC_REQUEST, ED25519_REQUEST, RSA_REQUEST } from './fixture.js'
import {
  clientCertificate,
  newKey,
  parseRequest,
  selfSignedAuthority,
  servingCertificate,
  signingRequest,
  signRequest,
} from './index.js'
import { subjectIn } from './names.js'

const DAY_MS = 24 * 3600 * 1000
const VALID = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 30 * DAY_MS) }
const authority = selfSignedAuthority('ca', VALID)
describe('an authority', () => {
  it('signs itself, and says that it is one', () => {
    const certificate = new X509Certificate(authority.cert)
    expect(certificate.ca).toBe(true)
    expect(certificate.subject).toBe('CN=ca')
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(authority.key))).toBe(true)
  })

  it('lives as long as it is told, before and after the year 2050', () => {
    const [notBefore, notAfter] = [new Date('2049-12-31T23:59:59Z'), new Date('2050-01-01T00:00:00Z')]
    const { validFrom, validTo } = new X509Certificate(
      selfSignedAuthority('ca', { notBefore, notAfter }).cert,
    )
    expect([new Date(validFrom), new Date(validTo)]).toEqual([notBefore, notAfter])
  })
})

describe('what an authority issues', () => {
  it('is good for the names and addresses of a server, and no others', () => {
    const hosts = ['localhost', 'a.example', '10.0.0.1', '::1', '2001:db8::1:0', '::ffff:1.2.3.4']
    const certificate = new X509Certificate(servingCertificate(authority, 'server', hosts, VALID).cert)
    for (const host of ['localhost', 'a.example']) expect(certificate.checkHost(host)).toBe(host)
    for (const host of ['10.0.0.1', '::1', '2001:db8::1:0', '::ffff:1.2.3.4'])
      expect(certificate.checkIP(host), host).toBe(host)
    expect(certificate.checkIP('10.0.0.2')).toBeUndefined()
    expect(certificate.checkHost('b.example')).toBeUndefined()
    expect(certificate.checkIssued(new X509Certificate(authority.cert))).toBe(true)
  })

  it.each([
    ['', authority],
    [', of an authority that an earlier release has made', EARLIER_AUTHORITY],
  ])('lets both ends of a connection know each other%s', async (_, issuer) => {
    const serving = servingCertificate(issuer, 'server', ['127.0.0.1'], VALID)
    const client = clientCertificate(issuer, { commonName: 'kim', organizations: ['a', 'b'] }, VALID)
    const server = createServer(
      { ...serving, ca: issuer.cert, requestCert: true, rejectUnauthorized: true },
      (incoming, answer) =>
        answer.end(JSON.stringify((incoming.socket as TLSSocket).getPeerCertificate().subject)),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      const text = await new Promise<string>((resolve, reject) => {
        request({ host: '127.0.0.1', port, ca: issuer.cert, ...client }, (answer) => {
          answer.once('data', (chunk: Buffer) => resolve(chunk.toString()))
        })
          .on('error', reject)
          .end()
      })
      expect(JSON.parse(text)).toEqual({ CN: 'kim', O: ['a', 'b'] })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('a signing request', () => {
  it('of ours says for whom it is, and that we have the key', () => {
    const subject = { commonName: 'kim', organizations: ['a', 'b'] }
    const parsed = parseRequest(signingRequest(newKey(), subject))
    expect(parsed).toMatchObject({ subject, verified: true })
  })

  it.each([
    ['EC with SHA-384', EC_REQUEST, 'Ännchen', ['painters', 'sculptors']],
    ['Ed25519', ED25519_REQUEST, 'ed', ['painters']],
    ['RSA with SHA-512', RSA_REQUEST, 'rsa', ['system:masters']],
  ])('of OpenSSL is read and answered: %s', (_, pem, commonName, organizations) => {
    expect(parseRequest(pem)).toMatchObject({ subject: { commonName, organizations }, verified: true })
    const certificate = new X509Certificate(signRequest(authority, pem, ['client auth'], VALID))
    expect(certificate.subject).toContain(`CN=${commonName}`)
    expect(certificate.verify(new X509Certificate(authority.cert).publicKey)).toBe(true)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  })

  it('gets the names of servers that it asks for, and nothing that makes it an authority', () => {
    const certificate = new X509Certificate(signRequest(authority, EC_REQUEST, ['server auth'], VALID))
    expect(certificate.subjectAltName).toBe('DNS:a.example, IP Address:10.0.0.1')
    expect(certificate.ca).toBe(false)
  })

  it('whose subject was changed by somebody else proves nothing', () => {
    const der = fromPem(EC_REQUEST, 'CERTIFICATE REQUEST')
    der.write('pointers', der.indexOf('painters'))
    const parsed = parseRequest(toPem(der, 'CERTIFICATE REQUEST'))
    expect(parsed).toMatchObject({ subject: { organizations: ['pointers', 'sculptors'] }, verified: false })
  })

  it('with broken bytes is an error or proves nothing, and nothing worse', () => {
    const whole = fromPem(EC_REQUEST, 'CERTIFICATE REQUEST')
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const der = Buffer.from(whole)
        der[at] = (der[at] ?? 0) ^ by
        let isVerified = false
        try {
          isVerified = parseRequest(toPem(der, 'CERTIFICATE REQUEST')).verified
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(isVerified).toBe(false)
      }),
    )
  })

  it.each([
    ['no PEM', 'hello'],
    ['a certificate', authority.cert],
    ['cut off', toPem(fromPem(EC_REQUEST, 'CERTIFICATE REQUEST').subarray(0, 200), 'CERTIFICATE REQUEST')],
    ['empty', toPem(Buffer.alloc(0), 'CERTIFICATE REQUEST')],
    ['a length without end', toPem(Buffer.from([0x30, 0x80, 0, 0]), 'CERTIFICATE REQUEST')],
    [
      'a length beyond everything',
      toPem(Buffer.from([0x30, 0x84, 255, 255, 255, 255]), 'CERTIFICATE REQUEST'),
    ],
    ['of other parts', toPem(sequence(sequence(), sequence(), bits(Buffer.of(1))), 'CERTIFICATE REQUEST')],
  ])('that is none is refused: %s', (_, pem) => {
    expect(() => parseRequest(pem)).toThrow()
  })
})

describe('a name', () => {
  const name = (...values: Buffer[]): Buffer =>
    sequence(...values.map((value) => element(TAG.set, sequence(oid('2.5.4.10'), value))))

  it('is found in whatever form of text it is written', () => {
    const utf16 = Buffer.from('masters', 'utf16le').swap16()
    const printable = element(0x13, Buffer.from('masters'))
    expect(subjectIn(name(utf8('masters'), printable, element(0x1e, utf16))).organizations).toEqual([
      'masters',
      'masters',
      'masters',
    ])
  })

  it('is refused in a form of which others may read something else', () => {
    const wide = Buffer.from([0, 0, 0, 0x6d])
    expect(() => subjectIn(name(element(0x1c, wide)))).toThrow('unknown form')
    expect(() => subjectIn(name(utf8('masters\0x')))).toThrow('zero bytes')
    expect(() => subjectIn(name(element(TAG.utf8, Buffer.from([0xff]))))).toThrow()
  })
})

import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sent } from '../../../test/fixtures/channeljob.js'
import { signature } from './sms/aliyun.js'
import { signingKey } from './sms/aws.js'
import { parameters } from './sms/huawei.js'

const SPEC = { phoneNumbers: ['13800000000', '+4912345'], template: 'short' }
const TEMPLATES = ['{{ define "short" }}it "burns" & more{{ end }}']
const value = (text: string) => ({ value: text })

const aliyun = {
  signName: 'orrery',
  templateCode: 'SMS_1',
  accessKeyId: value('id'),
  accessKeySecret: value('secret'),
}
const tencent = {
  sign: 'orrery',
  templateID: '1',
  smsSdkAppid: '14',
  secretId: value('id'),
  secretKey: value('secret'),
}
const huawei = {
  signature: 'orrery',
  templateId: 't',
  sender: '10690',
  appKey: value('key\n'),
  appSecret: value('secret\n'),
}
const aws = { region: 'eu-central-1', accessKeyId: value('id'), secretAccessKey: value('secret') }

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const send = (providers: object, answer: object, defaultProvider = '') =>
  sent('sms', SPEC, { config: { providers, defaultProvider }, templates: TEMPLATES, answer: () => answer })

describe('SMS', () => {
  it('of Alibaba Cloud are signed over all fields', async () => {
    const { calls, error } = await send({ aliyun }, { Code: 'OK' })

    expect([error, calls.map(({ url }) => url)]).toEqual([undefined, ['https://dysmsapi.aliyuncs.com/']])
    const { Signature, ...fields } = Object.fromEntries(new URLSearchParams(String(calls[0]?.body)))
    expect(fields).toMatchObject({
      Action: 'SendSms',
      PhoneNumbers: '13800000000,+4912345',
      SignName: 'orrery',
      TemplateCode: 'SMS_1',
      TemplateParam: '{"code":"it \\"burns\\" & more"}',
    })
    const encoded = (text = ''): string => encodeURIComponent(text).replace(/\*/g, '%2A')
    const query = Object.keys(fields)
      .sort()
      .map((name) => `${encoded(name)}=${encoded(fields[name])}`)
      .join('&')
    const expected = createHmac('sha1', 'secret&')
      .update(`POST&%2F&${encoded(query)}`)
      .digest('base64')
    expect(Signature).toBe(expected)
  })

  it('have the signature of the example of Alibaba Cloud', () => {
    const fields = {
      AccessKeyId: 'testid',
      Action: 'DescribeRegions',
      Format: 'XML',
      SignatureMethod: 'HMAC-SHA1',
      SignatureNonce: '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf',
      SignatureVersion: '1.0',
      Timestamp: '2016-02-23T12:46:24Z',
      Version: '2014-05-26',
    }

    expect(signature('GET', fields, 'testsecret')).toBe('OLeaidS1JvxuMvnyHOwuJ+uX5qY=')
  })

  it('of Tencent Cloud are signed with a key of the day, and name the numbers that failed', async () => {
    const state = (PhoneNumber: string, Code: string) => ({ PhoneNumber, Code, Message: 'm' })
    const { calls, error } = await send(
      { tencent },
      { Response: { SendStatusSet: [state('+8613800000000', 'Ok'), state('+4912345', 'LimitExceeded')] } },
    )

    expect(error?.message).toBe('+4912345: LimitExceeded, m')
    const { headers = {}, body } = calls[0] ?? {}
    expect(JSON.parse(String(body))).toEqual({
      PhoneNumberSet: ['+8613800000000', '+4912345'],
      SmsSdkAppId: '14',
      SignName: 'orrery',
      TemplateId: '1',
      TemplateParamSet: ['it "burns" & more'],
    })
    const seconds = headers['x-tc-timestamp'] ?? ''
    const date = new Date(Number(seconds) * 1_000).toISOString().slice(0, 10)
    const request = [
      'POST',
      '/',
      '',
      'content-type:application/json; charset=utf-8',
      'host:sms.tencentcloudapi.com',
      '',
      'content-type;host',
      sha256(String(body)),
    ].join('\n')
    const text = `TC3-HMAC-SHA256\n${seconds}\n${date}/sms/tc3_request\n${sha256(request)}`
    const key = hmac(hmac(hmac('TC3secret', date), 'sms'), 'tc3_request')
    expect(headers['authorization']).toBe(
      `TC3-HMAC-SHA256 Credential=id/${date}/sms/tc3_request, SignedHeaders=content-type;host, Signature=${hmac(key, text).toString('hex')}`,
    )
  })

  it('of Huawei Cloud carry a digest of the secret', async () => {
    const { calls, error } = await send({ huawei }, { code: '000000' })

    expect(error).toBeUndefined()
    const fields = Object.fromEntries(new URLSearchParams(String(calls[0]?.body)))
    expect(fields).toMatchObject({
      from: '10690',
      to: '13800000000,+4912345',
      templateParas: '["it \\"burns\\" & more"]',
    })
    const [, user, digest, nonce = '', created = ''] =
      /Username="(.*)",PasswordDigest="(.*)",Nonce="(.*)",Created="(.*)"/.exec(
        calls[0]?.headers?.['x-wsse'] ?? '',
      ) ?? []
    expect(user).toBe('key')
    expect(Buffer.from(digest ?? '', 'base64').toString()).toBe(sha256(`${nonce}${created}secret`))
  })

  it('of Huawei Cloud fill the places of a template with lines of the text', () => {
    expect(
      parameters('alertname = Disk\nnamespace = team\nmessage = a text that is longer than twenty'),
    ).toEqual([...['Disk', '', 'a text that is longe', '', '', '', '', 'team', '', '']])
    expect(parameters('a text that is longer than twenty')).toEqual(['a text that is longe'])
  })

  it('of Amazon are sent to one number at a time, signed with a key of the day and region', async () => {
    const { calls, error } = await send({ aws }, { status: 200, text: '<PublishResponse/>' })

    expect(error).toBeUndefined()
    expect(calls.map(({ body }) => new URLSearchParams(String(body)).get('PhoneNumber'))).toEqual(
      SPEC.phoneNumbers,
    )
    const { headers = {}, body } = calls[0] ?? {}
    const time = headers['x-amz-date'] ?? ''
    const request = [
      'POST',
      '/',
      '',
      'content-type:application/x-www-form-urlencoded',
      'host:sns.eu-central-1.amazonaws.com',
      `x-amz-date:${time}`,
      '',
      'content-type;host;x-amz-date',
      sha256(String(body)),
    ].join('\n')
    const scope = `${time.slice(0, 8)}/eu-central-1/sns/aws4_request`
    const key = hmac(hmac(hmac(hmac('AWS4secret', time.slice(0, 8)), 'eu-central-1'), 'sns'), 'aws4_request')
    const signed = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(request)}`).toString('hex')
    expect(headers['authorization']).toBe(
      `AWS4-HMAC-SHA256 Credential=id/${scope}, SignedHeaders=content-type;host;x-amz-date, Signature=${signed}`,
    )
  })

  it('have the signing key of the example of Amazon', () => {
    const key = signingKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', '20120215', 'us-east-1', 'iam')

    expect(key.toString('hex')).toBe('f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d')
  })

  it('go through the default provider, or else the first that is configured', async () => {
    const chosen = await send({ aliyun, huawei }, { code: '000000' }, 'huawei')
    const first = await send({ huawei, aliyun }, { Code: 'OK' })
    const none = await send({}, {})

    expect(chosen.calls[0]?.url).toContain('huawei')
    expect(first.calls[0]?.url).toContain('aliyun')
    expect(none.error?.message).toBe('cannot find provider')
  })

  it('that a provider refuses are an error with its words', async () => {
    const { error } = await send({ aliyun }, { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: 'too many' })

    expect(error?.message).toBe('isv.BUSINESS_LIMIT_CONTROL, too many')
  })
})

import { describe, expect, it } from 'vitest'
import { toV2beta1, toV2beta2 } from './conversion.js'

const REF = { namespace: 'kubesphere-monitoring-federated', name: 'mail', key: 'password' }

describe('notification objects of two versions', () => {
  it('lose nothing on the way from v2beta1 to v2beta2 and back', () => {
    const config = {
      email: { from: 'a@b.c', smartHost: { host: 'h', port: 25 }, authPassword: REF, tls: { rootCA: REF } },
      dingtalk: { conversation: { appkey: REF, appsecret: REF } },
    }
    const receiver = {
      webhook: {
        url: 'http://x',
        httpConfig: { bearerToken: REF, basicAuth: { username: 'u', password: REF } },
      },
      wechat: { toUser: ['a'], alertSelector: { matchLabels: { a: 'b' } } },
    }

    expect(toV2beta1('configs', toV2beta2('configs', config))).toEqual(config)
    expect(toV2beta1('receivers', toV2beta2('receivers', receiver))).toEqual(receiver)
  })

  it('name the key of a secret in the words of each version', () => {
    expect(toV2beta2('configs', { slack: { slackTokenSecret: REF } })).toEqual({
      slack: { slackTokenSecret: { valueFrom: { secretKeyRef: REF } } },
    })
  })

  it('hide inline values from v2beta1, and keep them when it writes', () => {
    const stored = { slack: { slackTokenSecret: { value: 'xoxb' }, labels: { a: 'b' } } }

    const read = toV2beta1('configs', stored)

    expect(read).toEqual({ slack: { labels: { a: 'b' } } })
    expect(toV2beta2('configs', read, stored)).toEqual(stored)
  })

  it('keep channels and fields that v2beta1 cannot say, and drop the channels that its writer drops', () => {
    const stored = {
      email: { to: ['a@b.c'], tmplType: 'text', template: 'mine' },
      slack: { channels: ['x'] },
      feishu: { user: ['u'] },
    }

    expect(toV2beta2('receivers', { email: { to: ['d@e.f'] } }, stored)).toEqual({
      email: { to: ['d@e.f'], tmplType: 'text', template: 'mine' },
      feishu: { user: ['u'] },
    })
  })
})

import { describe, expect, it } from 'vitest'
import { kubeconfigText, wholeKubeconfig } from './kubeconfigs.js'

const SERVER = 'https://10.96.0.1:443'
const secret = {
  metadata: {},
  data: {
    'tls.crt': Buffer.from('new cert').toString('base64'),
    'tls.key': Buffer.from('key').toString('base64'),
  },
}

describe('a kubeconfig', () => {
  it('has the form of the original, which has no user before there is a certificate', () => {
    expect(kubeconfigText({ user: 'kim', server: SERVER, ca: 'CA' })).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.96.0.1:443
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: kim
  name: kim@local
current-context: kim@local
kind: Config
preferences: {}
users: null
`)
  })

  it('is completed with what the secret has, and with the address that users are told', () => {
    const text = kubeconfigText({ user: 'kim', server: SERVER, certificate: 'old cert' })

    expect(wholeKubeconfig(text, 'kim', secret, 'https://outside:6443')).toBe(
      kubeconfigText({ user: 'kim', server: 'https://outside:6443', certificate: 'new cert', key: 'key' }),
    )
  })

  it('of the original is handed out as it is', () => {
    const text = kubeconfigText({ user: 'kim', server: SERVER, certificate: 'cert', key: 'key' })

    expect(wholeKubeconfig(text, 'kim', undefined, '')).toBe(text)
    expect(wholeKubeconfig('', 'kim', undefined, '')).toBe('')
    expect(() => wholeKubeconfig('', 'kim', secret, '')).toThrow('cannot be read')
  })
})

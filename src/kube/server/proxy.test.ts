import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { send } from '../../client/transport.js'
import { call } from '../admission/fixture.js'
import { type Kube, startKube } from '../index.js'

let kube: Kube
beforeEach(async () => {
  kube = await startKube({ controllers: false })
})
afterEach(() => kube.close())

const CORE = '/api/v1/namespaces/default'
const proxied = async (path: string) => {
  const { status, json } = await call(kube, 'GET', `${CORE}/${path}/proxy/index.html`)
  return `${status} ${json.message}`
}
async function createPod(name: string, podIP?: string): Promise<void> {
  await call(kube, 'POST', `${CORE}/pods`, {
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  })
  if (podIP !== undefined) await call(kube, 'PUT', `${CORE}/pods/${name}/status`, podWith(name, podIP))
}
const podWith = (name: string, podIP: string): object => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }] },
  status: { podIP },
})

describe('the proxy of services and pods', () => {
  it('says what is missing, in the words of a genuine server', async () => {
    await call(kube, 'POST', `${CORE}/services`, {
      metadata: { name: 'web' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    })

    expect(await proxied('services/gone')).toBe('404 endpoints "gone" not found')
    expect(await proxied('services/gone:80')).toBe('404 services "gone" not found')
    expect(await proxied('services/a:b:c:d')).toBe('400 invalid service request "a:b:c:d"')
    expect(await proxied('services/web:81')).toBe('503 no service port 81 found for service "web"')
    expect(await proxied('pods/gone')).toBe('404 pods "gone" not found')
    await createPod('p')
    expect(await proxied('pods/p:80')).toBe('400 address not allowed')

    await call(kube, 'POST', `${CORE}/endpoints`, { metadata: { name: 'web' } })

    expect(await proxied('services/http:web:http')).toBe('503 no endpoints available for service "web"')
  })

  it('dials nothing, and takes no address that is no pod of the namespace', async () => {
    await createPod('p', '10.1.2.3')
    const ports = [{ name: 'http', port: 8080 }]
    const targetRef = { kind: 'Pod', name: 'p', namespace: 'default' }
    const create = (name: string, address: object) =>
      call(kube, 'POST', `${CORE}/endpoints`, {
        metadata: { name },
        subsets: [{ addresses: [address], ports }],
      })
    await create('web', { ip: '10.1.2.3', targetRef })
    await create('forged', { ip: '10.9.9.9', targetRef })
    await create('bare', { ip: '10.1.2.3' })

    expect(await proxied('services/web:http')).toContain('503 error trying to reach service')
    expect(await proxied('services/web:http')).toContain('10.1.2.3:8080')
    expect(await proxied('services/web')).toBe('503 no endpoints available for service "web"')
    expect(await proxied('services/forged:http')).toBe('503 no endpoints available for service "forged:http"')
    expect(await proxied('services/bare:http')).toBe('503 no endpoints available for service "bare:http"')
  })

  it('sends who leaves out the slash to where relative links work', async () => {
    await createPod('p', '10.1.2.3')

    const { status, headers } = await send(kube.transport, {
      method: 'GET',
      path: `${CORE}/pods/p/proxy?a=b`,
      headers: {},
      user: kube.adminUser,
    })

    expect([status, headers['location']]).toEqual([301, `${CORE}/pods/p/proxy/?a=b`])
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call } from '../admission/fixture.js'
import { type Kube, startKube } from '../index.js'

let kube: Kube
beforeEach(async () => {
  kube = await startKube({ controllers: false })
})
afterEach(() => kube.close())

const CORE = '/api/v1/namespaces/default'

describe('the proxy of services and pods', () => {
  it('says what is missing, and dials nothing', async () => {
    const proxied = async (path: string) => {
      const { status, json } = await call(kube, 'GET', `${CORE}/${path}/proxy/index.html`)
      return `${status} ${json.message}`
    }
    await call(kube, 'POST', `${CORE}/services`, {
      metadata: { name: 'web' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    })

    expect(await proxied('services/gone')).toBe('404 services "gone" not found')
    expect(await proxied('services/a:b:c:d')).toBe('400 invalid service request "a:b:c:d"')
    expect(await proxied('services/web:https')).toBe('503 no service port "https" found for service "web"')
    expect(await proxied('services/http:web:http')).toBe('503 no endpoints available for service "web"')

    await call(kube, 'POST', `${CORE}/endpoints`, {
      metadata: { name: 'web' },
      subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'http', port: 8080 }] }],
    })
    await call(kube, 'POST', `${CORE}/pods`, {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })

    expect(await proxied('services/web')).toContain('503 error trying to reach service')
    expect(await proxied('services/web')).toContain('10.1.2.3:8080')
    expect(await proxied('pods/p:80')).toBe('503 pod "p" does not have an IP address')
  })
})

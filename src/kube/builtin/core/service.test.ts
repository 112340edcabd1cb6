import { describe, expect, it } from 'vitest'
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type RequestContext } from '../../registry/strategy.js'
import { type Service } from '../types.js'
import { builtinResources, ServiceAddresses } from '../index.js'

const context: RequestContext = {
  user: { name: 'admin', groups: [] },
  now: new Date(),
  dryRun: false,
  subresource: '',
  fieldManager: '',
  warn() {},
}

function setUp(serviceCidr = '10.96.0.0/29') {
  const addresses = new ServiceAddresses({ serviceCidr, nodePorts: [30000, 30001], random: () => 0 })
  const definition = builtinResources({ serviceAddresses: addresses }).find(({ kind }) => kind === 'Service')
  if (!definition) throw new Error('Services are not in the catalogue')
  const { strategy } = definition
  let count = 0
  const decoded = (spec: object): Service => {
    const body: KubeObject = { metadata: { name: 's', uid: `uid-${count++}` }, spec }
    const object = strategy.decode(body, { unknown: [], duplicate: [] })
    strategy.applyDefaults(object)
    return object as Service
  }
  const create = async (spec: object, more: Partial<RequestContext> = {}): Promise<Service> => {
    const service = decoded(spec)
    await strategy.prepareForCreate?.(service, { ...context, ...more })
    return service
  }
  const update = async (previous: Service, spec: object): Promise<Service> => {
    const service = { ...decoded(spec), metadata: previous.metadata } as Service
    await strategy.prepareForUpdate?.(service, previous, context)
    return service
  }
  return { addresses, strategy, create, update }
}

const PORTS = [{ port: 80 }]

describe('addresses of services', () => {
  it('are given out one by one, and come back when the service is gone', async () => {
    const { create, strategy } = setUp()
    // A range of eight holds five: the first two and the last are kept.
    const services = [await create({ ports: PORTS })]
    for (let i = 1; i < 5; i++) services.push(await create({ ports: PORTS }))
    expect(services.map(({ spec }) => spec.clusterIP)).toEqual([
      '10.96.0.2',
      '10.96.0.3',
      '10.96.0.4',
      '10.96.0.5',
      '10.96.0.6',
    ])
    await expect(create({ ports: PORTS })).rejects.toThrow('no free address')

    if (services[2]) strategy.afterDelete?.(services[2])

    expect((await create({ ports: PORTS })).spec.clusterIP).toBe('10.96.0.4')
  })

  it('are none for headless services and names elsewhere', async () => {
    const { create } = setUp()
    expect((await create({ clusterIP: 'None', ports: PORTS })).spec).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
    })
    expect((await create({ type: 'ExternalName', externalName: 'a.example.com' })).spec).not.toHaveProperty(
      'clusterIP',
    )
  })

  it('may be asked for, once', async () => {
    const { create } = setUp()
    expect((await create({ clusterIP: '10.96.0.5', ports: PORTS })).spec.clusterIP).toBe('10.96.0.5')
    await expect(create({ clusterIP: '10.96.0.5', ports: PORTS })).rejects.toThrow(
      'provided IP is already allocated',
    )
    await expect(create({ clusterIP: '10.1.0.5', ports: PORTS })).rejects.toThrow('not in the valid range')
  })

  it('are not taken by a dry run, nor by a service with a fault', async () => {
    const { create } = setUp()
    const dry = await create({ type: 'NodePort', ports: PORTS }, { dryRun: true })
    expect(dry.spec).not.toHaveProperty('clusterIP')
    expect(dry.spec.ports?.[0]?.nodePort).toBe(32769)
    await create({ ports: [] })

    expect((await create({ ports: PORTS })).spec.clusterIP).toBe('10.96.0.2')
  })

  it('of stored services are adopted', async () => {
    const { addresses, create } = setUp()
    addresses.adopt({
      metadata: { name: 'old', uid: 'old' },
      spec: { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'], ports: [] },
      status: { loadBalancer: {} },
    })
    expect((await create({ ports: PORTS })).spec.clusterIP).toBe('10.96.0.3')
  })

  it('stay when an update leaves them out, and ports are never given twice', async () => {
    const { create, update } = setUp()
    const first = await create({ type: 'NodePort', ports: PORTS })

    const second = await update(first, { type: 'NodePort', ports: PORTS })
    expect(second.spec).toMatchObject({ clusterIP: first.spec.clusterIP, ports: [{ nodePort: 30000 }] })

    const third = await update(second, { type: 'ClusterIP', ports: PORTS })
    expect(third.spec.ports?.[0]).not.toHaveProperty('nodePort')
    // The update may yet fail, so its port is kept until the service goes.
    expect((await create({ type: 'NodePort', ports: PORTS })).spec.ports?.[0]?.nodePort).toBe(30001)
  })

  it('may not be changed', async () => {
    const { create, update, strategy } = setUp()
    const first = await create({ ports: PORTS })
    const second = await update(first, { ...first.spec, clusterIP: '10.96.0.6', ports: PORTS })
    expect(strategy.validateUpdate(second, first, context)).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'spec.clusterIPs[0]',
        message: 'Invalid value: []string{"10.96.0.6"}: may not change once set',
      },
    ])
  })

  it('may not be changed, and neither may the port at which a load balancer asks for its health', async () => {
    const { create, update, strategy } = setUp()
    const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: PORTS }
    const first = await create(local)
    const second = await update(first, { ...local, healthCheckNodePort: 31999 })
    expect(strategy.validateUpdate(second, first, context)).toMatchObject([
      {
        field: 'spec.healthCheckNodePort',
        message: expect.stringMatching(
          /^Invalid value: 31999: cannot change healthCheckNodePort on loadBalancer/,
        ) as string,
      },
    ])
  })
})

/**
 * Cluster IPs and node ports: which are taken, and the next free ones.
 *
 * IPv4 only, one range (10.96.0.0/12, as the recorded server). The last address is kept free, and so is the
 * first for the service `kubernetes`. Random choice, so that an address does not come back at once.
 */
import { invalid } from '../../../apimachinery/errors/index.js'
import { goTexts, invalidValue } from '../faults.js'
import { type Service } from '../types.js'

export interface ServiceAddressOptions {
  /** IPv4 CIDR. */
  serviceCidr?: string
  /** First and last. */
  nodePorts?: readonly [number, number]
  /** A whole number from 0 up to, not including, `limit`. */
  random?: (limit: number) => number
}

interface Needs {
  address: boolean
  nodePorts: boolean
  healthPort: boolean
}

export class ServiceAddresses {
  readonly #base: number
  readonly #size: number
  readonly #cidr: string
  readonly #ports: readonly [number, number]
  readonly #random: (limit: number) => number
  /** Address (text) or port (number) → uid of the service that has it. */
  readonly #taken = new Map<string | number, string>()
  /** The other way round. */
  readonly #held = new Map<string, Set<string | number>>()

  constructor(options: ServiceAddressOptions = {}) {
    this.#cidr = options.serviceCidr ?? '10.96.0.0/12'
    const [network = '', bits = '32'] = this.#cidr.split('/')
    this.#size = 2 ** (32 - Number(bits))
    this.#base = Math.floor(numberOf(network) / this.#size) * this.#size
    this.#ports = options.nodePorts ?? [30000, 32767]
    this.#random = options.random ?? ((limit) => Math.floor(Math.random() * limit))
  }

  /** The address of the service `kubernetes`. */
  get first(): string {
    return textOf(this.#base + 1)
  }

  /** Marks what a stored service has as taken. */
  adopt(service: Service): void {
    const owner = ownerOf(service)
    for (const ip of service.spec.clusterIPs ?? []) if (ip !== 'None') this.#take(ip, owner)
    for (const port of portsOf(service)) this.#take(port, owner)
  }

  /**
   * Frees all that a deleted service had, also what it gave up while it lived: an update may yet fail, so
   * nothing is freed before the end.
   */
  release(service: Readonly<Service>): void {
    const owner = ownerOf(service)
    for (const item of this.#held.get(owner) ?? []) this.#taken.delete(item)
    this.#held.delete(owner)
  }

  #take(item: string | number, owner: string): void {
    this.#taken.set(item, owner)
    const held = this.#held.get(owner)
    if (held) held.add(item)
    else this.#held.set(owner, new Set([item]))
  }

  /**
   * Gives a service what it needs and lacks. A dry run takes nothing.
   *
   * @throws StatusError 422 when an address or port that it asks for is taken or out of range
   */
  assign(service: Service, previous: Readonly<Service> | undefined, dryRun: boolean, needs: Needs): void {
    const owner = ownerOf(previous ?? service)
    const { spec } = service
    if (needs.address && spec.clusterIP !== 'None') {
      if (spec.clusterIP !== undefined) this.#claimAddress(service, spec.clusterIP, owner, dryRun)
      else if (!dryRun) spec.clusterIP = this.#freeAddress(owner)
      if (spec.clusterIP !== undefined) spec.clusterIPs ??= [spec.clusterIP]
      if (spec.clusterIPs?.length === 0 && spec.clusterIP !== undefined) spec.clusterIPs = [spec.clusterIP]
    }
    if (needs.nodePorts) this.#assignPorts(service, owner, dryRun)
    if (needs.healthPort) spec.healthCheckNodePort ??= this.#freePort(owner, dryRun, [])
  }

  #assignPorts(service: Service, owner: string, dryRun: boolean): void {
    const given: number[] = []
    const ports = service.spec.ports ?? []
    ports.forEach((port, i) => {
      if (port.nodePort === undefined) return
      this.#claimPort(service, `spec.ports[${i}].nodePort`, port.nodePort, owner, dryRun)
    })
    for (const port of ports) {
      if (port.nodePort !== undefined) continue
      port.nodePort = this.#freePort(owner, dryRun, given)
      given.push(port.nodePort)
    }
  }

  #claimAddress(service: Service, ip: string, owner: string, dryRun: boolean): void {
    const holder = this.#taken.get(ip)
    if (holder === owner) return
    const refuse = (why: string) => {
      throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [
        invalidValue('spec.clusterIPs', goTexts([ip]), why),
      ])
    }
    if (holder !== undefined)
      refuse(`failed to allocated ip:${ip} with error:provided IP is already allocated`)
    const offset = numberOf(ip) - this.#base
    if (!(offset > 0 && offset < this.#size - 1)) {
      const why = `provided IP is not in the valid range. The range of valid IPs is ${this.#cidr}`
      refuse(`failed to allocated ip:${ip} with error:${why}`)
    }
    if (!dryRun) this.#take(ip, owner)
  }

  #claimPort(service: Service, field: string, port: number, owner: string, dryRun: boolean): void {
    const holder = this.#taken.get(port)
    if (holder === owner) return
    const [low, high] = this.#ports
    const why =
      holder !== undefined
        ? 'provided port is already allocated'
        : port < low || port > high
          ? `provided port is not in the valid range. The range of valid ports is ${low}-${high}`
          : undefined
    if (why !== undefined) {
      throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', [
        invalidValue(field, port, why),
      ])
    }
    if (!dryRun) this.#take(port, owner)
  }

  #freeAddress(owner: string): string {
    // .0 and the last address are not given out, .1 is the API's own.
    const count = this.#size - 3
    const start = this.#random(count)
    for (let i = 0; i < count; i++) {
      const ip = textOf(this.#base + 2 + ((start + i) % count))
      if (this.#taken.has(ip)) continue
      this.#take(ip, owner)
      return ip
    }
    throw new Error(`no free address is left in ${this.#cidr}`)
  }

  #freePort(owner: string, dryRun: boolean, given: readonly number[]): number {
    if (dryRun) return Math.max(32768, ...given) + 1
    const [low, high] = this.#ports
    const count = high - low + 1
    const start = this.#random(count)
    for (let i = 0; i < count; i++) {
      const port = low + ((start + i) % count)
      if (this.#taken.has(port)) continue
      this.#take(port, owner)
      return port
    }
    throw new Error(`no free node port is left from ${low} to ${high}`)
  }
}

function ownerOf({ metadata }: Readonly<Service>): string {
  return metadata.uid ?? `${metadata.namespace}/${metadata.name}`
}

function portsOf({ spec }: Readonly<Service>): number[] {
  const all = [...(spec.ports ?? []).map(({ nodePort }) => nodePort), spec.healthCheckNodePort]
  return all.filter((port): port is number => port !== undefined && port !== 0)
}

function numberOf(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/**
 * Where messages may go. Tenants choose addresses, and must not reach what only the platform can: addresses inside
 * are refused for them unless the operator allows them. The address that was checked is the one that is used.
 */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

export class EgressError extends Error {
  override readonly name = 'EgressError'
}

const INSIDE: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]
/** Metadata of clouds: nobody's message goes there. */
const NEVER: readonly string[] = ['169.254.0.0/16', 'fe80::/10']

/** @param cidrs @throws Error for what is no range of addresses */
function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    const family = isIP(address)
    if (family === 0) throw new Error(`${cidr} is no range of addresses`)
    list.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

export interface Destination {
  address: string
  family: number
}

export class Egress {
  readonly #inside = listOf(INSIDE)
  readonly #never = listOf(NEVER)
  readonly #allowed: BlockList

  /** @param allowed ranges inside that tenants may reach */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = listOf(allowed)
  }

  /** @throws EgressError, and what a name that cannot be found throws */
  async resolve(hostname: string, isTenant: boolean): Promise<Destination> {
    const host = hostname.replace(/^\[|\]$/g, '')
    const family = isIP(host)
    const found = family !== 0 ? [{ address: host, family }] : await lookup(host, { all: true })
    const open = found.find(({ address, family }) => this.#isOpen(address, family, isTenant))
    if (!open) throw new EgressError(`${host} is an address inside, and not allowed`)
    return open
  }

  #isOpen(address: string, family: number, isTenant: boolean): boolean {
    // One network card's neighbours are inside, and lists of ranges do not know them.
    if (address.includes('%')) return false
    const mapped = family === 6 ? mappedIPv4(address) : undefined
    if (mapped !== undefined) return this.#isOpen(mapped, 4, isTenant)
    const type = family === 6 ? 'ipv6' : 'ipv4'
    if (this.#allowed.check(address, type)) return true
    if (this.#never.check(address, type)) return false
    return !isTenant || !this.#inside.check(address, type)
  }
}

/** An IPv4 address in the clothes of IPv6 is the IPv4 address, however it is written. */
function mappedIPv4(address: string): string | undefined {
  const [, high, low] =
    /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname) ?? []
  if (high === undefined || low === undefined) return undefined
  const [first, second] = [parseInt(high, 16), parseInt(low, 16)]
  return [first >> 8, first & 255, second >> 8, second & 255].join('.')
}

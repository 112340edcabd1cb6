/** Addresses of pods: out of the range of their node, each given once at a time. */
import { type Pod } from '../../builtin/types.js'
import { type Node } from '../../scheduling/types.js'

export class PodAddresses {
  readonly #next = new Map<string, number>()

  /** @param taken by the other pods of the node */
  give(node: Readonly<Node>, taken: Iterable<Readonly<Pod>>): string {
    const { name = '' } = node.metadata
    const [range = '10.244.0.0', length = '24'] = (node.spec.podCIDR ?? '10.244.0.0/24').split('/')
    const size = 2 ** (32 - Number(length)) - 2
    const used = new Set([...taken].map(({ status }) => status.podIP))
    const base = numberOf(range)
    let at = this.#next.get(name) ?? 1
    for (let tries = 0; tries < size; tries++) {
      const address = textOf(base + 1 + (at++ % size))
      if (used.has(address)) continue
      this.#next.set(name, at)
      return address
    }
    return textOf(base + 1) // More pods than addresses: they share, as no packet will ever tell.
  }
}

const numberOf = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const textOf = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

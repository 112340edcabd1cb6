/** What is taken of each node, kept up as pods come and go. */
import { type Pod } from '../../builtin/types.js'
import { type Collection } from '../../controllers/collections.js'
import { isFinished } from '../../controllers/pods/state.js'
import { type HostPort, hostPortsOf } from '../../scheduling/ports.js'
import { type Demand, demandOf } from '../../scheduling/resources.js'

interface Taken {
  amounts: Map<string, number>
  ports: Map<string, HostPort[]>
}

const NOTHING: Demand = new Map()

export class NodeUsage {
  readonly #nodes = new Map<string, Taken>()
  readonly #stop: () => void

  constructor(pods: Collection<Pod>) {
    this.#stop = pods.follow(({ object, previous }) => {
      if (previous) this.#count(previous, -1)
      if (object) this.#count(object, 1)
    })
  }

  used(node: string): Demand {
    return this.#nodes.get(node)?.amounts ?? NOTHING
  }

  ports(node: string): HostPort[] {
    return [...(this.#nodes.get(node)?.ports.values() ?? [])].flat()
  }

  close(): void {
    this.#stop()
  }

  #count(pod: Readonly<Pod>, sign: 1 | -1): void {
    const { nodeName } = pod.spec
    if (!nodeName || isFinished(pod)) return
    let taken = this.#nodes.get(nodeName)
    if (!taken) this.#nodes.set(nodeName, (taken = { amounts: new Map(), ports: new Map() }))
    for (const [name, amount] of demandOf(pod)) {
      taken.amounts.set(name, (taken.amounts.get(name) ?? 0) + sign * amount)
    }
    const ports = hostPortsOf(pod)
    const { uid = '' } = pod.metadata
    if (sign === 1 && ports.length > 0) taken.ports.set(uid, ports)
    else taken.ports.delete(uid)
  }
}

/** What has been written in each container. Bounded, each of them and all together: it is memory of the API server. */
import { type Entry, type Layer } from './files.js'

export const CONTAINER_BYTES = 8 * 1024 * 1024
const ALL_BYTES = 64 * 1024 * 1024

interface Kept {
  layer: Layer
  /** Which run of the container it belongs to. */
  run: string
  bytes: number
  /** Commands may still run there; nothing is kept of them. */
  isDropped: boolean
}

export class Layers {
  readonly #pods = new Map<string, Map<string, Kept>>()
  #bytes = 0

  /** A container that has been restarted begins with nothing. */
  of(podUid: string, container: string, run: string): Layer {
    let pod = this.#pods.get(podUid)
    if (!pod) this.#pods.set(podUid, (pod = new Map<string, Kept>()))
    let kept = pod.get(container)
    if (kept?.run !== run) {
      if (kept) this.#drop(kept)
      kept = this.#empty(run)
      pod.set(container, kept)
    }
    return kept.layer
  }

  forget(podUid: string): void {
    for (const kept of this.#pods.get(podUid)?.values() ?? []) this.#drop(kept)
    this.#pods.delete(podUid)
  }

  #drop(kept: Kept): void {
    this.#bytes -= kept.bytes
    kept.isDropped = true
  }

  #empty(run: string): Kept {
    const kept: Kept = {
      run,
      bytes: 0,
      isDropped: false,
      layer: {
        entries: new Map<string, Entry>(),
        take: (bytes) => {
          if (kept.isDropped) return bytes <= 0
          const isTooMuch =
            kept.bytes + bytes > CONTAINER_BYTES || (bytes > 0 && this.#bytes + bytes > ALL_BYTES)
          if (isTooMuch) return false
          kept.bytes += bytes
          this.#bytes += bytes
          return true
        },
      },
    }
    return kept
  }
}

/** For a command whose files nobody will see again. */
export function scratchLayer(limitBytes = 256 * 1024): Layer {
  let left = limitBytes
  return {
    entries: new Map<string, Entry>(),
    take(bytes) {
      if (bytes > left) return false
      left -= bytes
      return true
    },
  }
}

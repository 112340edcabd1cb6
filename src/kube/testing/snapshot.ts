/** All that a test's server holds, to be taken up by other servers of the same process as often as one likes. */
import { type Kube } from '../index.js'
import { type Pki } from '../pki/index.js'
import { type KeyValue, type Storage } from '../storage/interface.js'
import { createMemoryStorage } from '../storage/memory/index.js'

/** Opaque. Certificates and tokens that were given out go on to be valid. */
export class Snapshot {
  readonly #entries: readonly KeyValue[]
  readonly #revision: number
  readonly #pki: Pki
  readonly #time: number | undefined

  /** @param time where it stands still; undefined when it is real */
  constructor({ storage, pki }: Pick<Kube, 'storage' | 'pki'>, time: number | undefined) {
    const { items, revision } = storage.list('')
    // Values are never changed in place, only replaced.
    this.#entries = items
    this.#revision = revision
    this.#pki = pki
    this.#time = time
  }

  static async taken(snapshot: Snapshot): Promise<{ storage: Storage; pki: Pki; time: number | undefined }> {
    const storage = createMemoryStorage()
    await storage.load(snapshot.#entries, snapshot.#revision)
    return { storage, pki: snapshot.#pki, time: snapshot.#time }
  }
}

/** What the handlers of resource requests share. */
import { type Logger } from './interfaces.js'
import { type Clock } from '../registry/clock.js'
import { type Random } from '../registry/random.js'
import { type Registry } from '../registry/store.js'
import { type Catalogue } from '../registry/strategy.js'
import { type Watches } from '../registry/watches.js'
import { type Storage } from '../storage/interface.js'
import { type BodyCodec } from './body.js'

export interface Api {
  storage: Storage
  catalogue: Catalogue
  registry: Registry
  watches: Watches
  clock: Clock
  random: Random
  logger: Logger
  codecs: readonly BodyCodec[]
}

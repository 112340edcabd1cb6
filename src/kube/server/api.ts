/** What the handlers of resource requests share. */
import { type Logger } from './interfaces.js'
import { type Clock } from '../registry/clock.js'
import { type Random } from '../registry/random.js'
import { type Registry } from '../registry/store.js'
import { type PatchSchema } from '../../apimachinery/patch/index.js'
import { type Catalogue, type ResourceDefinition, type SubresourceDefinition } from '../registry/strategy.js'
import { type Watches } from '../registry/watches.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Exchange } from './exchange.js'
import { type Storage } from '../storage/interface.js'

/** Answers a request below an object; a proxy is told the port. @returns false when it is not its business */
export type Connect = (exchange: Exchange, parent: KubeObject, port?: string) => Promise<boolean> | boolean

export interface Api {
  storage: Storage
  catalogue: Catalogue
  registry: Registry
  watches: Watches
  clock: Clock
  random: Random
  logger: Logger
  /** Merge rules by definition name. */
  patchSchema: (definition: string) => PatchSchema | undefined
  /** Answers below objects by `resource/subresource`, for definitions that have none of their own. */
  subresources: Readonly<Record<string, SubresourceDefinition['create']>>
  /** Streams and pages below objects by `resource/subresource`; filled by whoever plays the nodes. */
  connections: Readonly<Record<string, Connect>>
  /** Hands a request to the API server that is registered for it. @returns false when none is */
  elsewhere: (exchange: Exchange) => Promise<boolean> | boolean
  /** Answers of reviews by `resource.group`, likewise. */
  reviews: Readonly<Record<string, ResourceDefinition['review']>>
}

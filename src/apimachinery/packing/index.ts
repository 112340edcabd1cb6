export { Arena, bytesOf, NOWHERE, type Slab, type Tenant } from './arena.js'
export { Pool } from './pool.js'
export { forgetRecent, Recent } from './recent.js'

export { Arena, bytesOf, NOWHERE, type Slab, type Tenant } from './arena.js'
export { forgetRecent, Recent } from './recent.js'

export { Arena, bytesOf, NOWHERE, type Slab, type Tenant } from './arena.js'
export { Recent } from './recent.js'

/** What all objects share: their metadata, names, times. */
export * from './types.js'
export * from './names.js'
export * from './time.js'
export * from './generatename.js'
export * from './accessors.js'
export * from './validation.js'

/** Field ownership: server-side apply, and what ordinary writes mean for it. */
export { type Applied, applyPatch, type ApplyRequest } from './apply.js'
export { FieldSet } from './fieldset.js'
export { trackUpdate, type UpdateRequest } from './update.js'

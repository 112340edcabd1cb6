/** The three patch types that change an object without knowing who owns it; apply is in ../fieldmanager. */
export { applyJsonPatch } from './json.js'
export { applyMergePatch, createMergePatch } from './merge.js'
export { applyStrategicPatch, type PatchField, type PatchSchema, type PatchStrategy } from './strategic.js'

/** JSON as the API handles it. */
export { equal, isObject, type JsonObject, own, setOwn } from './value.js'

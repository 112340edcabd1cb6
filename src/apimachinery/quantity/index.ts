/** Amounts of CPU, memory, storage: exact, in the canonical form of Kubernetes. */
import { Quantity } from './quantity.js'

export { InvalidQuantity, Quantity, QUANTITY_FAULT } from './quantity.js'

/** A cluster says the same few amounts again and again. */
const known = new Map<string, Quantity>()
const KNOWN = 1_000
const KNOWN_LENGTH = 32

/** @throws InvalidQuantity */
export function parseQuantity(text: string): Quantity {
  const found = known.get(text)
  if (found) return found
  const quantity = Quantity.parse(text)
  if (text.length > KNOWN_LENGTH) return quantity
  if (known.size >= KNOWN) known.clear()
  known.set(text, quantity)
  return quantity
}

/** `1000m` → `1`. @throws InvalidQuantity */
export const canonicalQuantity = (text: string): string => parseQuantity(text).toString()

export const isQuantity = (text: string): boolean => {
  try {
    parseQuantity(text)
    return true
  } catch {
    return false
  }
}

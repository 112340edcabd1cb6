/** Amounts of CPU, memory, storage: exact, in the canonical form of Kubernetes. */
import { Quantity } from './quantity.js'

export { InvalidQuantity, Quantity, QUANTITY_FAULT } from './quantity.js'

/** @throws InvalidQuantity */
export const parseQuantity = (text: string): Quantity => Quantity.parse(text)

/** `1000m` → `1`. @throws InvalidQuantity */
export const canonicalQuantity = (text: string): string => Quantity.parse(text).toString()

export const isQuantity = (text: string): boolean => {
  try {
    Quantity.parse(text)
    return true
  } catch {
    return false
  }
}

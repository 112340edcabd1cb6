/** Short forms for quantities that decoding has already checked. */
import { isQuantity, parseQuantity } from '../../../apimachinery/quantity/index.js'

/** @returns the canonical text, or undefined when it is not a quantity */
export function canonical(text: string): string | undefined {
  return isQuantity(text) ? parseQuantity(text).toString() : undefined
}

/** Negative when a < b, 0 when equal, positive when a > b. */
export function compareQuantities(a: string, b: string): number {
  return parseQuantity(a).compare(parseQuantity(b))
}

export function isNegative(quantity: string): boolean {
  return parseQuantity(quantity).sign < 0
}

/** Whether it holds no fraction of a unit. */
export function isWhole(quantity: string): boolean {
  return parseQuantity(quantity).milliValue() % 1000n === 0n
}

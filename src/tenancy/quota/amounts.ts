/** Amounts by resource name, as quotas count them: `requests.cpu` → 2, `count/deployments.apps` → 7. */
import { parseQuantity, Quantity } from '../../apimachinery/quantity/index.js'

export type Amounts = ReadonlyMap<string, Quantity>

/** As in objects; whole numbers may be numbers there. */
export type WrittenAmounts = Readonly<Record<string, string | number>>

export const ONE = Quantity.of(1)
const ZERO = Quantity.of(0)

/** @throws InvalidQuantity */
export function amountsFrom(written: WrittenAmounts = {}): Map<string, Quantity> {
  return new Map(Object.entries(written).map(([name, amount]) => [name, parseQuantity(String(amount))]))
}

export function written(amounts: Amounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, amount.toString()]))
}

export function add(left: Amounts, right: Amounts): Map<string, Quantity> {
  const sum = new Map(left)
  for (const [name, amount] of right) sum.set(name, (sum.get(name) ?? ZERO).add(amount))
  return sum
}

export function subtract(left: Amounts, right: Amounts): Map<string, Quantity> {
  const rest = new Map(left)
  for (const [name, amount] of right) rest.set(name, (rest.get(name) ?? ZERO).sub(amount))
  return rest
}

/** The named ones; those that are missing are zero. */
export function pick(amounts: Amounts, names: Iterable<string>): Map<string, Quantity> {
  return new Map([...names].map((name) => [name, amounts.get(name) ?? ZERO]))
}

/** `pods=1,requests.cpu=500m`, by name. */
export function listed(amounts: Amounts): string {
  return [...amounts]
    .map(([name, amount]) => `${name}=${amount.toString()}`)
    .sort()
    .join(',')
}

/**
 * Quantities (`100m`, `1Gi`): parsed exactly, compared, and written in the canonical form.
 *
 * Canonical: no fraction, the largest suffix that allows it, the family of suffixes kept; a binary quantity
 * below 1024 turns decimal. Anything finer than 1n is rounded up.
 */

type Family = 'binary' | 'decimal' | 'exponent'

interface Parsed {
  /** The value in units of 10^-9. */
  nano: bigint
  family: Family
}

const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([numkMGTPE])|[eE]([+-]?\d+))?$/
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const NANO = 1_000_000_000n

function parse(text: string): Parsed | undefined {
  const match = QUANTITY.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', binary, decimal, exponent] = match
  if (whole === '' && fraction === '') return undefined
  // value = digits * 10^-places * scale
  const digits = BigInt(whole + fraction)
  const places = fraction.length
  let numerator = digits * NANO
  let power = -places
  let family: Family = 'decimal'
  if (binary !== undefined) {
    numerator *= 1024n ** BigInt(BINARY.indexOf(binary))
    family = 'binary'
  } else if (decimal !== undefined) {
    power += (DECIMAL.indexOf(decimal) - 3) * 3
  } else if (exponent !== undefined) {
    if (Math.abs(Number(exponent)) > 100) return undefined
    power += Number(exponent)
    family = 'exponent'
  }
  let nano: bigint
  if (power >= 0) nano = numerator * 10n ** BigInt(power)
  else {
    const divisor = 10n ** BigInt(-power)
    nano = numerator / divisor + (numerator % divisor === 0n ? 0n : 1n)
  }
  return { nano: sign === '-' ? -nano : nano, family }
}

/** @returns the canonical text, or undefined when it is not a quantity */
export function canonical(text: string): string | undefined {
  const parsed = parse(text)
  return parsed === undefined ? undefined : format(parsed)
}

function format({ nano, family }: Parsed): string {
  if (nano === 0n) return '0'
  const sign = nano < 0n ? '-' : ''
  const size = nano < 0n ? -nano : nano
  if (family === 'binary' && size >= 1024n * NANO && size % NANO === 0n) {
    let value = size / NANO
    let index = 0
    while (index < BINARY.length - 1 && value % 1024n === 0n) {
      value /= 1024n
      index++
    }
    return `${sign}${value}${BINARY[index]}`
  }
  let value = size
  let index = 0
  while (index < DECIMAL.length - 1 && value % 1000n === 0n) {
    value /= 1000n
    index++
  }
  if (family !== 'exponent') return `${sign}${value}${DECIMAL[index]}`
  const exponent = (index - 3) * 3
  return exponent === 0 ? `${sign}${value}` : `${sign}${value}e${exponent}`
}

/** Negative when a < b, 0 when equal, positive when a > b. Both must be quantities. */
export function compareQuantities(a: string, b: string): number {
  const difference = (parse(a)?.nano ?? 0n) - (parse(b)?.nano ?? 0n)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function isNegative(quantity: string): boolean {
  return (parse(quantity)?.nano ?? 0n) < 0n
}

/** Whether it holds no fraction of a unit. */
export function isWhole(quantity: string): boolean {
  return (parse(quantity)?.nano ?? 0n) % NANO === 0n
}

/**
 * Quantities: `100m`, `1.5Gi`, `2e3`. Exact: a value is a whole number of nano-units in a bigint.
 *
 * The canonical form has no fraction, the largest suffix that allows this, and stays in the family of
 * suffixes it was written in (binary, decimal, exponent); a binary quantity below 1024 turns decimal.
 * Anything finer than 1n is rounded away from zero.
 */

type Format = 'binary' | 'decimal' | 'exponent'

const NANO = 1_000_000_000n
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
/** Beyond this many decimal digits nothing sensible is meant; caps the work a short text can cause. */
const EXPONENT_LIMIT = 300

export const QUANTITY_FAULT =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

export class InvalidQuantity extends Error {
  override readonly name = 'InvalidQuantity'
}

export class Quantity {
  private constructor(
    private readonly nano: bigint,
    private readonly format: Format,
  ) {}

  /** @throws InvalidQuantity with the words of Kubernetes */
  static parse(text: string): Quantity {
    const match = NUMBER.exec(text)
    if (match === null) throw new InvalidQuantity(QUANTITY_FAULT)
    const [, sign, whole = '', fraction = '', suffix = ''] = match
    if (whole === '' && fraction === '') throw new InvalidQuantity(QUANTITY_FAULT)
    const digits = BigInt(whole + fraction)
    const { numerator, exponent, format } = scaleOf(suffix)
    const power = exponent - fraction.length + 9 // In units of 10^-9.
    let nano = digits * numerator
    if (power >= 0) nano *= 10n ** BigInt(power)
    else nano = divideUp(nano, 10n ** BigInt(-power))
    return new Quantity(sign === '-' ? -nano : nano, format)
  }

  static of(value: number | bigint, format: Format = 'decimal'): Quantity {
    if (typeof value === 'bigint' || Number.isInteger(value))
      return new Quantity(BigInt(value) * NANO, format)
    return Quantity.parse(String(value))
  }

  static milli(value: number | bigint): Quantity {
    return new Quantity(BigInt(value) * 1_000_000n, 'decimal')
  }

  get isZero(): boolean {
    return this.nano === 0n
  }

  /** -1, 0 or 1. */
  get sign(): number {
    return this.nano < 0n ? -1 : this.nano > 0n ? 1 : 0
  }

  /** Whole units, rounded away from zero. */
  value(): bigint {
    return divideUp(this.nano, NANO)
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): bigint {
    return divideUp(this.nano, 1_000_000n)
  }

  /** For ratios and display only: loses precision beyond 2^53. */
  toNumber(): number {
    return Number(this.nano / NANO) + Number(this.nano % NANO) / 1e9
  }

  compare(other: Quantity): number {
    return this.nano < other.nano ? -1 : this.nano > other.nano ? 1 : 0
  }

  equals(other: Quantity): boolean {
    return this.nano === other.nano
  }

  /** A zero takes the other's format, as adding up starts from zero. */
  add(other: Quantity): Quantity {
    return new Quantity(this.nano + other.nano, this.isZero ? other.format : this.format)
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.nano - other.nano, this.isZero ? other.format : this.format)
  }

  negate(): Quantity {
    return new Quantity(-this.nano, this.format)
  }

  /** The canonical form. */
  toString(): string {
    if (this.nano === 0n) return '0'
    const magnitude = this.nano < 0n ? -this.nano : this.nano
    const sign = this.nano < 0n ? '-' : ''
    const small = magnitude < 1024n * NANO
    if (this.format === 'binary' && !small) {
      // A fraction of a byte cannot be written with binary suffixes; it is rounded up.
      return sign + shrink(divideUp(magnitude, NANO), 1024n, BINARY, 0)
    }
    if (this.format === 'exponent') return sign + exponentForm(magnitude)
    return sign + shrink(magnitude, 1000n, DECIMAL, 0)
  }

  toJSON(): string {
    return this.toString()
  }
}

function scaleOf(suffix: string): { numerator: bigint; exponent: number; format: Format } {
  if (/^[eE][+-]?\d/.test(suffix)) {
    const exponent = Number(suffix.slice(1))
    if (Math.abs(exponent) > EXPONENT_LIMIT) throw new InvalidQuantity("unable to parse quantity's suffix")
    return { numerator: 1n, exponent, format: 'exponent' }
  }
  const binary = BINARY.indexOf(suffix)
  if (binary > 0) return { numerator: 1024n ** BigInt(binary), exponent: 0, format: 'binary' }
  return { numerator: 1n, exponent: (DECIMAL.indexOf(suffix) - 3) * 3, format: 'decimal' }
}

function shrink(value: bigint, base: bigint, suffixes: readonly string[], from: number): string {
  let [left, at] = [value, from]
  while (at < suffixes.length - 1 && left % base === 0n) {
    left /= base
    at++
  }
  return `${left}${suffixes[at] ?? ''}`
}

/** Exponents are multiples of three, as the original writes them. */
function exponentForm(nano: bigint): string {
  let [left, exponent] = [nano, -9]
  while (left % 1000n === 0n) {
    left /= 1000n
    exponent += 3
  }
  return exponent === 0 ? `${left}` : `${left}e${exponent}`
}

/** Rounds away from zero. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const whole = value / divisor
  const rest = value % divisor
  return rest === 0n ? whole : value < 0n ? whole - 1n : whole + 1n
}

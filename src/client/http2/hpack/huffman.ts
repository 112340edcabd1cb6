/**
 * The Huffman code of RFC 7541, appendix B, read back into text.
 *
 * The code is canonical: codes of one length follow each other in the order of their symbols, and each length goes
 * on where the shorter ones ended. The lengths therefore say all, and the tables below are derived from them.
 *
 * What a header usually holds (letters, digits, most punctuation) has codes of at most 8 bits, for which one look
 * at the next byte's worth of bits gives the symbol. The rest is found bit by bit.
 */
import { HpackError } from './errors.js'

/** Bits of the code of each symbol, 0 to 255 and the end of the string, in base 36. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss' +
  '6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6' +
  'f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnno' +
  'mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrr' +
  'koklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u'

const SHORTEST = 5
const LONGEST = 30
const END_OF_STRING = 256
/** Codes up to this many bits are looked up at once. */
const DIRECT = 8

/** By the next 8 bits: symbol << 4 | bits of its code; 0 where the code is longer. */
const direct = new Uint16Array(1 << DIRECT)
/** By length: the first code, how many there are, and where their symbols begin in `symbols`. */
const firstCode = new Int32Array(LONGEST + 1)
const codes = new Int32Array(LONGEST + 1)
const firstSymbol = new Int32Array(LONGEST + 1)
const symbols = new Uint16Array(LENGTHS.length)

deriveCodes()

function deriveCodes(): void {
  let code = 0
  let place = 0
  for (let length = 1; length <= LONGEST; length++) {
    code <<= 1
    firstCode[length] = code
    firstSymbol[length] = place
    for (let symbol = 0; symbol < LENGTHS.length; symbol++) {
      if (parseInt(LENGTHS.charAt(symbol), 36) !== length) continue
      symbols[place++] = symbol
      if (length <= DIRECT) {
        const from = code << (DIRECT - length)
        direct.fill((symbol << 4) | length, from, from + (1 << (DIRECT - length)))
      }
      code++
    }
    codes[length] = place - firstSymbol[length]!
  }
}

/** The text being decoded; grows to the longest there was, which the size of a header block bounds. */
let text = Buffer.allocUnsafe(1024)

/**
 * The text of `block` from `at` to `end`, one character a byte.
 *
 * @throws HpackError if it holds the end-of-string symbol, or is not padded with less than 8 bits of it
 */
export function huffmanDecoded(block: Buffer, at: number, end: number): string {
  const most = Math.ceil(((end - at) * 8) / SHORTEST)
  if (text.length < most) text = Buffer.allocUnsafe(2 * most)
  let written = 0
  /** The bits not yet used are the lowest `left` of `bits`. */
  let bits = 0
  let left = 0
  for (;;) {
    if (left < DIRECT) {
      if (at === end) break
      // What was used is shifted out at the top.
      bits = (bits << 8) | block[at++]!
      left += 8
    }
    const found = direct[(bits >>> (left - DIRECT)) & 0xff]!
    if (found !== 0) {
      text[written++] = found >> 4
      left -= found & 15
      continue
    }
    let code = (bits >>> (left - DIRECT)) & 0xff
    left -= DIRECT
    let length = DIRECT
    let nth: number
    do {
      if (left === 0) {
        if (at === end) throw new HpackError('Huffman-coded text ends within a symbol')
        bits = block[at++]!
        left = 8
      }
      left--
      code = (code << 1) | ((bits >>> left) & 1)
      length++
      nth = code - firstCode[length]!
      // The code is complete: whatever the bits, one of the 30 lengths has it.
    } while (nth >= codes[length]!)
    const symbol = symbols[firstSymbol[length]! + nth]!
    if (symbol === END_OF_STRING) throw new HpackError('Huffman-coded text holds the end-of-string symbol')
    text[written++] = symbol
  }
  // Less than 8 bits are left: short symbols, then padding, which is the beginning of the end-of-string symbol.
  while (left >= SHORTEST) {
    const found = direct[((bits << (DIRECT - left)) | (0xff >> left)) & 0xff]!
    const length = found & 15
    if (found === 0 || length > left) break
    text[written++] = found >> 4
    left -= length
  }
  const padding = (1 << left) - 1
  if ((bits & padding) !== padding) throw new HpackError('Huffman-coded text is badly padded')
  return text.toString('latin1', 0, written)
}

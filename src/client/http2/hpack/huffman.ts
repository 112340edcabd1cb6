/** The Huffman code of RFC 7541, appendix B. It is canonical, so the lengths of its codes say all of it. */
import { HpackError } from './errors.js'

const EOS = 256
/** Bits of the code of each octet and of EOS, in base 32. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f5656566' +
  '6577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqop' +
  'jlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu'

/** The code as a tree: of node n, 2n and 2n + 1 say where a bit leads: to a node, or to ~symbol. */
const TREE = new Int16Array(2 * 256)

function grow(): void {
  const lengths = [...LENGTHS].map((letter) => parseInt(letter, 32))
  const order = lengths.map((_, symbol) => symbol)
  order.sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b)
  let nodes = 1
  let code = 0
  let length = 0
  for (const symbol of order) {
    const bits = lengths[symbol] as number
    code = code * 2 ** (bits - length)
    length = bits
    let node = 0
    for (let bit = bits - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1)
      if (TREE[at] === 0) TREE[at] = nodes++
      node = TREE[at] as number
    }
    TREE[2 * node + (code & 1)] = ~symbol
    code++
  }
}

grow()

let scratch = Buffer.alloc(256)

/** @returns in latin1. @throws HpackError */
export function huffmanDecoded(bytes: Buffer, from: number, to: number): string {
  // No code is shorter than five bits.
  const most = Math.ceil(((to - from) * 8) / 5)
  if (scratch.length < most) scratch = Buffer.alloc(most * 2)
  let length = 0
  let node = 0
  let bits = 0
  let onlyOnes = true
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >>> bit) & 1
      if (one === 0) onlyOnes = false
      bits++
      node = TREE[2 * node + one] as number
      if (node >= 0) continue
      if (~node === EOS) throw new HpackError('the end of a string within it')
      scratch[length++] = ~node
      node = 0
      bits = 0
      onlyOnes = true
    }
  }
  // The beginning of EOS, and less than a byte of it.
  if (bits > 7 || !onlyOnes) throw new HpackError('bad padding of a string')
  return scratch.toString('latin1', 0, length)
}

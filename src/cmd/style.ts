/** Colour for people, plain text for pipes. */

const CODES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
} as const

export function styleText(format: keyof typeof CODES, text: string): string {
  if (!process.stdout.isTTY || process.env['NO_COLOR'] !== undefined) return text
  const [on, off] = CODES[format]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

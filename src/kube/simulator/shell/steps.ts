/** What commands are made of. */

/**
 * Time passes, something is printed, or the command asks for what only some can give: its input, or the end of work
 * under way. Whoever has none of it goes on without an answer.
 */
export type Step =
  { waitMs: number } | { text: string | Buffer; stream: 1 | 2 } | { ask: 'input' | Promise<unknown> }

/** Goes on with what was asked for: a piece of input, undefined after the last. Ends with an exit code. */
export type Run = Generator<Step, number | 'forever', unknown>

export const said = (text: string | Buffer): Step => ({ text, stream: 1 })
export const complaint = (text: string): Step => ({ text: `${text}\n`, stream: 2 })

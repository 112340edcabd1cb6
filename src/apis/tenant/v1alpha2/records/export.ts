/** The download of log lines: the texts as they were written, one after the other, newest first, without colours. */
import { once } from 'node:events'
import { type JsonDocument } from '../../../../integrations/records/interface.js'
import { type Exchange } from '../../../../serving/exchange.js'
import { ANSWERED } from '../../../../serving/route.js'

// eslint-disable-next-line no-control-regex -- colours begin with a control character
const COLOURS = /\u001b\[[\d;]*m/g

/** Faults before the first byte are thrown; later ones break the connection, so that nobody takes a part for all. */
export async function exportLines(
  { response, signal }: Exchange,
  portions: AsyncIterable<JsonDocument[]>,
): Promise<typeof ANSWERED> {
  const iterator = portions[Symbol.asyncIterator]()
  let portion = await iterator.next()
  response.writeHead(200, {
    'Content-Type': 'text/plain',
    'Content-Disposition': 'attachment',
    'X-Content-Type-Options': 'nosniff',
  })
  try {
    for (; !portion.done; portion = await iterator.next()) {
      const text = portion.value.map(({ log }) => (typeof log === 'string' ? log : '')).join('')
      if (!response.write(text.replace(COLOURS, ''))) await once(response, 'drain', { signal })
    }
    response.end()
  } catch {
    response.destroy()
  } finally {
    await iterator.return?.()
  }
  return ANSWERED
}

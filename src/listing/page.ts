/** A list as it goes over the wire: `{"items":[...],"totalItems":n}`, put together from the objects' own bytes. */
import { entityTag, taggedHeaders } from '../serving/conditional.js'
import { Reply } from '../serving/route.js'
import { type Page } from './engine.js'
import { RecentlyMade } from './recent.js'

export const JSON_TYPE = { 'content-type': 'application/json' }
const OPEN = Buffer.from('{"items":[')
const COMMA = Buffer.from(',')

export function pageBody(items: readonly Uint8Array[], total: number): Uint8Array[] {
  const parts: Uint8Array[] = [OPEN]
  items.forEach((item, position) => {
    if (position > 0) parts.push(COMMA)
    parts.push(item)
  })
  parts.push(Buffer.from(`],"totalItems":${total}}`))
  return parts
}

/** Of pages whose versions tell all, the last answers are kept: the same objects in the same versions are the same page. */
const recent = new RecentlyMade<Reply>()

export function pageReply(page: Page): Reply {
  const { items, total, versions } = page
  if (versions === undefined) return new Reply(200, { ...JSON_TYPE, ...tagged(page) }, pageBody(items, total))
  const key = `${total} ${versions.join(' ')}`
  const kept = recent.get(key)
  if (kept !== undefined) return kept
  const headers = { ...JSON_TYPE, ...taggedHeaders(entityTag([key])) }
  return recent.keep(key, pageBody(items, total), (body) => new Reply(200, headers, body))
}

/** As `pageReply`, with kind and version in each item: caches hold objects without. */
export function typedPageReply(page: Page, type: { kind: string; apiVersion: string }): Reply {
  const head = Buffer.from(
    `{"kind":${JSON.stringify(type.kind)},"apiVersion":${JSON.stringify(type.apiVersion)},`,
  )
  const typed = page.items.map((item) => Buffer.concat([head, item.subarray(1)]))
  return new Reply(200, { ...JSON_TYPE, ...tagged(page) }, pageBody(typed, page.total))
}

/** By the objects' versions where these tell all: some hundred bytes in place of the page. */
function tagged({ items, total, versions }: Page): Record<string, string> {
  return taggedHeaders(entityTag([`${total} `, ...(versions ? [versions.join(' ')] : items)]))
}

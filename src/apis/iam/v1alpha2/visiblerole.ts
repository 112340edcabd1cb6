/** Roles as clients of this API see them: without the mark by which composed roles follow their parts. */
import { type Page } from '../../../listing/engine.js'
import { COMPOSED } from '../../../tenancy/names.js'
import { type RoleObject } from '../../../tenancy/types.js'

const MARK = Buffer.from(`"${COMPOSED}"`)

export function visibleRole<T extends RoleObject>(role: Readonly<T>): Readonly<T> {
  const { annotations } = role.metadata
  if (annotations?.[COMPOSED] === undefined) return role
  const { [COMPOSED]: _, ...visible } = annotations
  return { ...role, metadata: { ...role.metadata, annotations: visible } }
}

/** Only what has the mark is read. */
export function visibleRoles(page: Page): Page {
  const visible = (item: Uint8Array): Uint8Array => {
    const text = Buffer.from(item.buffer, item.byteOffset, item.byteLength)
    if (!text.includes(MARK)) return item
    return Buffer.from(JSON.stringify(visibleRole(JSON.parse(text.toString()) as RoleObject)))
  }
  return { ...page, items: page.items.map(visible) }
}

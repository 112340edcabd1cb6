/** A block that cannot be decoded: what follows on the connection cannot be either. */
export class HpackError extends Error {
  override readonly name = 'HpackError'
}

/** The fields are more than the limit. The tables are as they should be: only this block is lost. */
export class HeaderListTooLarge extends Error {
  override readonly name = 'HeaderListTooLarge'
}

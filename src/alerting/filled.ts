/** A copy without what is empty: clients are told only what there is. */
export function filled<T extends object>(fields: T): T {
  const isThere = ([, value]: [string, unknown]): boolean =>
    value !== '' && value !== 0 && !(typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  return Object.fromEntries(Object.entries(fields).filter(isThere)) as T
}

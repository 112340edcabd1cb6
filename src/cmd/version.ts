/** The version of this build, read from package.json. */
import { readFileSync } from 'node:fs'

let known: string | undefined

/** `0.1.0` */
export function productVersion(): string {
  known ??= (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version
  return known
}

export function versionText(json = false): string {
  if (!json) return `orrery ${productVersion()}`
  return JSON.stringify({
    version: productVersion(),
    node: process.version,
    platform: `${process.platform}/${process.arch}`,
  })
}

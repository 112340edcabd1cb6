/** The version of this build, read from package.json. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let known: string | undefined

/** `0.1.0` */
export function productVersion(): string {
  known ??= (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version
  return known
}

/** Of this package, wherever the compiled program lies in it. */
function packageFile(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const candidate = join(at, 'package.json')
    if (existsSync(candidate)) return candidate
    if (at === dirname(at)) throw new Error('package.json is missing beside the program')
  }
}

export function versionText(json = false): string {
  if (!json) return `orrery ${productVersion()}`
  return JSON.stringify({
    version: productVersion(),
    node: process.version,
    platform: `${process.platform}/${process.arch}`,
  })
}

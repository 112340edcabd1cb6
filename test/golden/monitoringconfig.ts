/** The recorded configuration with another address of Prometheus. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { parse, stringify } from 'yaml'
import { goldenPath } from './shared.js'

/** @returns the path of a file that is gone after the tests */
export function configFor(endpoint: string): string {
  const scratch = mkdtempSync(join(tmpdir(), 'orrery-monitoring-'))
  scratches.push(scratch)
  const config = parse(readFileSync(goldenPath('kubesphere.yaml'), 'utf8')) as Record<string, unknown>
  const file = join(scratch, 'kubesphere.yaml')
  writeFileSync(file, stringify({ ...config, monitoring: { endpoint } }))
  return file
}

const scratches: string[] = []

afterAll(() => {
  for (const scratch of scratches) rmSync(scratch, { recursive: true, force: true })
})

/** The id of a rule: a hash of everything that makes it another rule for Prometheus. */
import { print } from '../integrations/prometheus/promql/print.js'
import { durationMs, durationText } from '../integrations/prometheus/durations.js'
import { RULE_ID } from './names.js'
import { type Texts } from './types.js'

const OFFSET = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n
const END = Buffer.from([0xff])

export interface Identified {
  group: string
  name: string
  query: string
  /** Prometheus duration; empty: none. */
  duration: string
  labels: Readonly<Texts>
}

/** FNV-1a of 64 bits over the labels by name, the parts of the rule among them. */
export function ruleId({ group, name, query, duration, labels }: Identified): string {
  const all: Texts = {
    ...labels,
    __rule_group__: group,
    __rule_name__: name,
    __rule_query__: printed(query),
    __rule_duration__: durationText(durationMs(duration) ?? 0),
  }
  delete all[RULE_ID]
  const parts = Object.keys(all)
    .sort()
    .flatMap((label) => [Buffer.from(label), END, Buffer.from(all[label] ?? ''), END])
  return fnv1a(Buffer.concat(parts)).toString(16).padStart(16, '0')
}

function printed(query: string): string {
  try {
    return print(query)
  } catch {
    return query.trim() // Stored by somebody who was not asked whether it can be read.
  }
}

function fnv1a(bytes: Uint8Array): bigint {
  let hash = OFFSET
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}

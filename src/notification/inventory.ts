/**
 * What the manager works with, for operators: receivers, accounts, and which goes with which. The port asks nobody who they
 * are, so what is a credential, or may hold one, is left out.
 */
import { isObject } from '../apimachinery/json/index.js'
import { type Directory, type Target } from './directory.js'
import { isCredentialField } from './objects/validation.js'

export interface Asked {
  tenant: string | undefined
  name: string | undefined
  type: string | undefined
}

export function receiversOf(directory: Directory, asked: Asked): object[] {
  return targets(directory, asked).map(shown)
}

export function receiversWithConfig(directory: Directory, asked: Asked): object[] {
  return targets(directory, asked).map((target) => {
    const config = directory.configFor(target)
    return { ...shown(target), config: config === undefined ? null : withoutSecrets(config) }
  })
}

export function configsOf(directory: Directory, { tenant, name, type }: Asked): object[] {
  return directory
    .accounts()
    .filter(
      (one) =>
        (tenant === undefined || one.tenant === tenant) &&
        (name === undefined || one.name === name) &&
        (type === undefined || one.channel === type),
    )
    .map(({ spec, ...one }) => ({ ...one, spec: withoutSecrets(spec) }))
}

function targets(directory: Directory, { tenant, name, type }: Asked): Target[] {
  return directory
    .targets(tenant)
    .filter(
      ({ receiver, channel }) =>
        (name === undefined || receiver === name) && (type === undefined || channel === type),
    )
}

const shown = ({ receiver, channel, tenant, labels, spec }: Target): object => ({
  name: receiver,
  channel,
  tenant,
  labels,
  spec: withoutSecrets(spec),
})

/** Addresses of webhooks are credentials of a kind: who knows one can write there. */
function withoutSecrets(value: unknown, field = ''): unknown {
  if (isObject(value) && (isCredentialField(field) || field === 'webhook')) return HIDDEN
  if (field === 'url' || field === 'proxyUrl') return originOf(value)
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, name)]))
}

const HIDDEN = '***'

function originOf(value: unknown): string {
  try {
    return `${new URL(String(value)).origin}/${HIDDEN}`
  } catch {
    return HIDDEN
  }
}

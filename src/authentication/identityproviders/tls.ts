/** Whom to trust when connecting to a provider. */
import { readFileSync } from 'node:fs'
import { type TlsOptions } from '../../configuration/identityproviders.js'

export interface Trust {
  rejectUnauthorized: boolean
  /** PEM; undefined: the authorities that Node.js knows. */
  ca: string | undefined
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/

/** @throws Error when the authorities cannot be read */
export function trustFrom({ insecureSkipVerify, rootCA, rootCAData }: TlsOptions): Trust {
  let ca: string | undefined
  if (rootCAData !== '') ca = Buffer.from(rootCAData, 'base64').toString('utf8')
  else if (rootCA !== '') ca = readFileSync(rootCA, 'utf8')
  if (ca !== undefined && !CERTIFICATE.test(ca))
    throw new Error(`${rootCAData !== '' ? 'rootCAData' : 'rootCA'} holds no PEM certificate`)
  return { rejectUnauthorized: !insecureSkipVerify, ca }
}

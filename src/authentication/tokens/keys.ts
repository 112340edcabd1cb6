/**
 * The RSA key that signs id tokens: from a file, from configuration, or made when first needed. Making one takes
 * a tenth of a second and happens off the event loop, so a server that issues no id token never pays for it.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface SigningKey {
  key: KeyObject
  kid: string
}

export interface JsonWebKeySet {
  keys: { use: string; kty: string; kid: string; alg: string; n: string; e: string }[]
}

export class SigningKeys {
  #loading: Promise<SigningKey> | undefined

  constructor(private readonly options: { signKey: string; signKeyData: string }) {}

  signing(): Promise<SigningKey> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  async published(): Promise<JsonWebKeySet> {
    const { key, kid } = await this.signing()
    const { n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' })
    return { keys: [{ use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e }] }
  }

  async #load(): Promise<SigningKey> {
    const { signKey, signKeyData } = this.options
    const pem =
      signKey !== ''
        ? await readFile(signKey)
        : signKeyData !== ''
          ? Buffer.from(signKeyData, 'base64')
          : await generated()
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType !== 'rsa') throw new Error('the key that signs id tokens must be an RSA key')
    return { key, kid: String(fnv1a(pem)) }
  }
}

async function generated(): Promise<Buffer> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return Buffer.from(privateKey.export({ type: 'pkcs1', format: 'pem' }))
}

/** FNV-1a of 32 bits, by which the original names its keys. */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

/**
 * The kubeconfig of a user: its text, and where it is kept.
 *
 * The config map is what the original keeps and what programs read; here it holds everything but the private key. The
 * key is in a secret of the same name, with the certificate and with the whole file, for pods that act as the user.
 */
import { X509Certificate } from 'node:crypto'
import { parse, stringify } from 'yaml'
import { type KubeObject } from '../apimachinery/meta/types.js'

/** Of the config map and of the secret, both in the namespace of controls. */
export const kubeconfigName = (user: string): string => `kubeconfig-${user}`

/** Of the file, in the config map and in the secret. */
export const KUBECONFIG_KEY = 'config'
export const CERTIFICATE_KEY = 'tls.crt'
export const PRIVATE_KEY_KEY = 'tls.key'

export interface KubeconfigMap extends KubeObject {
  data?: Record<string, string>
}

/** Values are base64. */
export interface KubeconfigSecret extends KubeObject {
  data?: Record<string, string>
}

export interface KubeconfigParts {
  user: string
  /** `https://10.96.0.1:443` */
  server: string
  /** PEM texts. */
  ca?: string
  certificate?: string
  key?: string
}

const CLUSTER = 'local'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const textOf = (value: string | undefined): string => Buffer.from(value ?? '', 'base64').toString('utf8')

/** In the form of the original. */
export function kubeconfigText({ user, server, ca, certificate, key }: KubeconfigParts): string {
  const credentials = {
    ...(certificate !== undefined && { 'client-certificate-data': base64(certificate) }),
    ...(key !== undefined && { 'client-key-data': base64(key) }),
  }
  const context = `${user}@${CLUSTER}`
  return written({
    apiVersion: 'v1',
    clusters: [
      {
        cluster: { ...(ca !== undefined && { 'certificate-authority-data': base64(ca) }), server },
        name: CLUSTER,
      },
    ],
    contexts: [{ context: { cluster: CLUSTER, namespace: 'default', user }, name: context }],
    'current-context': context,
    kind: 'Config',
    preferences: {},
    users: certificate === undefined ? null : [{ name: user, user: credentials }],
  })
}

/** Undefined while there is none, and when it cannot be read. */
export function certificateIn(text: string): X509Certificate | undefined {
  // Cheaper than to parse the file, of every user at every start.
  const data = /^\s*(?:-\s+)?client-certificate-data:\s*["']?([A-Za-z0-9+/=]+)/m.exec(text)?.[1]
  if (data === undefined) return undefined
  try {
    return new X509Certificate(Buffer.from(data, 'base64'))
  } catch {
    return undefined
  }
}

/** Certificate and key that belong together, as the secret has them. */
export function credentialsIn({
  data = {},
}: Readonly<KubeconfigSecret>): { certificate: string; key: string } | undefined {
  const [certificate, key] = [textOf(data[CERTIFICATE_KEY]), textOf(data[PRIVATE_KEY_KEY])]
  return certificate === '' || key === '' ? undefined : { certificate, key }
}

/**
 * The file as its user may have it: with the key that only the secret holds, and with the address that users are told
 * to reach the cluster at.
 *
 * @param master as configured; "" leaves the address that is there
 * @throws Error when the text is no kubeconfig
 */
export function wholeKubeconfig(
  text: string,
  user: string,
  secret: Readonly<KubeconfigSecret> | undefined,
  master: string,
): string {
  const credentials = secret && credentialsIn(secret)
  if (credentials === undefined && master === '') return text
  const file = parse(text) as {
    clusters?: { name?: string; cluster?: { server?: string } }[] | null
    users?: { name?: string; user?: object }[] | null
  } | null
  if (file === null || typeof file !== 'object') throw new Error('the kubeconfig cannot be read')
  for (const { name, cluster } of file.clusters ?? [])
    if (name === CLUSTER && cluster && master !== '') cluster.server = master
  if (credentials) {
    const others = (file.users ?? []).filter(({ name }) => name !== user)
    const { certificate, key } = credentials
    const own = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }
    file.users = [...others, { name: user, user: own }]
  }
  return written(file)
}

/** Lines of base64 are not folded, and lists are as deep as their key. */
function written(file: object): string {
  return stringify(file, { lineWidth: 0, indentSeq: false })
}

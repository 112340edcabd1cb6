/** Writes kubeconfig files: one cluster, one user, one context. */
import { stringify } from 'yaml'

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  server: string
  /** PEM of the authority that signs for the server; absent for plain http. */
  ca?: string
  user: string
  /** PEM of a client certificate and its key; or a bearer token. */
  cert?: string
  key?: string
  token?: string
  /** Name of cluster and context. */
  cluster?: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export function kubeconfigFor(options: KubeconfigOptions): string {
  const cluster = options.cluster ?? 'orrery'
  const context = `${options.user}@${cluster}`
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: {
          ...(options.ca !== undefined && { 'certificate-authority-data': base64(options.ca) }),
          server: options.server,
        },
      },
    ],
    users: [
      {
        name: options.user,
        user: {
          ...(options.cert !== undefined && { 'client-certificate-data': base64(options.cert) }),
          ...(options.key !== undefined && { 'client-key-data': base64(options.key) }),
          ...(options.token !== undefined && { token: options.token }),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster, user: options.user } }],
    'current-context': context,
    preferences: {},
  })
}

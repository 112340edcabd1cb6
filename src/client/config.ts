/** How to reach an API and prove who we are: what a kubeconfig or a pod's service account comes down to. */
import { type TlsOptions } from './http/dial.js'

export interface ExecPlugin {
  apiVersion: string
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  provideClusterInfo: boolean
  /** Told to the user when the command is not there. */
  installHint: string | undefined
}

export type AuthConfig =
  | { kind: 'none' }
  | { kind: 'token'; token: string }
  /** Read again from time to time: tokens of service accounts expire. */
  | { kind: 'token file'; path: string }
  | { kind: 'basic'; username: string; password: string }
  /** A program that prints credentials. */
  | { kind: 'exec'; plugin: ExecPlugin; environment: Readonly<Record<string, string | undefined>> }

export interface ClientConfig {
  /** `https://host:port`, maybe with a path. */
  server: string
  tls: TlsOptions
  auth: AuthConfig
  /** The namespace of the context or of the pod. */
  namespace: string
}

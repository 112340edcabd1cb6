/** The release of Kubernetes that the embedded API declares. */
import { type VersionInfo } from './server/interfaces.js'

export const DEFAULT_KUBE_VERSION = 'v1.20.2'

/** @throws Error for a text that is no version */
export function versionInfo(kubeVersion = DEFAULT_KUBE_VERSION): VersionInfo {
  const match = /^v(\d+)\.(\d+)\.\d+/.exec(kubeVersion)
  if (!match) throw new Error(`kube version: "${kubeVersion}" is not of the form v1.20.2`)
  const [, major = '', minor = ''] = match
  return {
    major,
    minor,
    gitVersion: kubeVersion,
    // Clients want to see one; there is none of Kubernetes in here.
    gitCommit: '0'.repeat(40),
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: process.version,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}

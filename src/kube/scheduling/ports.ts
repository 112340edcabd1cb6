/** Ports of nodes that pods take for themselves. */
import { type Pod } from '../builtin/types.js'

export interface HostPort {
  ip: string
  protocol: string
  port: number
}

export function hostPortsOf({ spec }: Readonly<Pod>): HostPort[] {
  return (spec.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP', hostIP }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', protocol, port: hostPort }] : [],
    ),
  )
}

export function conflictingPort(
  wanted: readonly HostPort[],
  taken: readonly HostPort[],
): HostPort | undefined {
  return wanted.find(({ ip, protocol, port }) =>
    taken.some(
      (other) =>
        other.port === port &&
        other.protocol === protocol &&
        (other.ip === ip || other.ip === '0.0.0.0' || ip === '0.0.0.0'),
    ),
  )
}

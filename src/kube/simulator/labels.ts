/** How what is simulated is marked, and the annotations by which a pod says how it should behave. */
export const SIMULATED = 'orrery.dev/simulated'
export const WHAT_IT_IS = 'orrery.dev/description'

/** `<name>.<container>` for one container, `<name>` for all of a pod. */
export const OVERRIDES = {
  /** Why the image cannot be pulled. */
  pull: 'simulated.orrery.dev/pull-error',
  exitCode: 'simulated.orrery.dev/exit-code',
  /** How long it runs; `forever`. */
  runSeconds: 'simulated.orrery.dev/run-seconds',
  /** `never`, or how long after the start. */
  readySeconds: 'simulated.orrery.dev/ready-seconds',
  /** How long after its start it fails its liveness probe. */
  unhealthySeconds: 'simulated.orrery.dev/unhealthy-seconds',
} as const

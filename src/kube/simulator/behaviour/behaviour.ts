/** What a simulated container does: whether its image can be pulled, how long it runs, how it ends, what it prints. */
import { type Container, type Pod, type Probe } from '../../builtin/types.js'
import { type ImageRule, type Rules } from '../rules/index.js'
import { Files } from '../files/files.js'
import { scratchLayer } from '../files/layers.js'
import { OVERRIDES } from '../labels.js'
import { type Machine, run, type Step } from '../shell/run.js'
import { type Environment } from './environment.js'
import { ruleOf } from './images.js'

export interface Behaviour {
  pull: 'ok' | 'fails' | 'invalid'
  pullMessage: string
  /** Undefined: it runs until it is stopped. */
  runMs: number | undefined
  exitCode: number
  /** Undefined: it never gets ready. */
  readyMs: number | undefined
  /** How long after its start it is found dead; undefined: never. */
  unhealthyMs: number | undefined
  /** What it prints and when, counted from its start. May go on for ever. */
  steps(startedAt: number): Iterable<Step>
}

/** What comes later than this has no end that anybody would see. */
const LONG_MS = 10 * 365 * 86_400_000
const STEP_LIMIT = 5_000
/** How long a program that is not known runs, where it is meant to end. */
const PLAIN_MS = 2_000
const REFERENCE = /^[a-z0-9][a-zA-Z0-9._/:-]*(@sha256:[a-f0-9]{64})?$/

export function behaviourOf(
  pod: Readonly<Pod>,
  container: Readonly<Container>,
  environment: Environment,
  { images }: Rules,
): Behaviour {
  const { image = '', name } = container
  const facts = ruleOf(images(), image, [...(container.command ?? []), ...(container.args ?? [])])
  const override = (key: string): string | undefined => {
    const { annotations = {} } = pod.metadata
    return annotations[`${key}.${name}`] ?? annotations[key]
  }
  const pullError = override(OVERRIDES.pull) ?? facts.pull
  const isValid = REFERENCE.test(image)
  const steps = (startedAt: number): Generator<Step, number | 'forever'> =>
    stepsOf(pod, container, facts, environment, startedAt)
  const { HOSTNAME: _name, ...env } = environment.env
  const played = serves(container, facts)
    ? { runMs: undefined, exitCode: 0 }
    : ending(JSON.stringify([container, env, pod.spec.restartPolicy, facts]), () => playThrough(steps))
  const runSeconds = override(OVERRIDES.runSeconds)
  const exitCode = override(OVERRIDES.exitCode)
  const runMs =
    runSeconds === 'forever'
      ? undefined
      : runSeconds !== undefined
        ? Number(runSeconds) * 1000 || 0
        : (played.runMs ?? (exitCode === undefined ? undefined : PLAIN_MS))
  const readySeconds = override(OVERRIDES.readySeconds)
  const unhealthySeconds = override(OVERRIDES.unhealthySeconds)
  const { readinessProbe, startupProbe, livenessProbe } = container
  return {
    pull: !isValid ? 'invalid' : pullError === undefined ? 'ok' : 'fails',
    pullMessage: (pullError ?? '').replaceAll('${image}', image),
    runMs,
    exitCode: exitCode === undefined ? played.exitCode : Number(exitCode) || 0,
    readyMs:
      readySeconds === 'never'
        ? undefined
        : readySeconds !== undefined
          ? Number(readySeconds) * 1000 || 0
          : readyMs([startupProbe, readinessProbe], environment, pod),
    unhealthyMs:
      unhealthySeconds !== undefined
        ? Number(unhealthySeconds) * 1000 || 0
        : unhealthyMs(livenessProbe, environment, pod),
    steps,
  }
}

export function machineOf(
  pod: Readonly<Pod>,
  { env, base, directory }: Environment,
  startedAt: number,
  program: Machine['program'],
  layer = scratchLayer(),
): Machine {
  const files = new Files(base, layer, () => startedAt)
  const hostname = pod.spec.hostname ?? pod.metadata.name ?? ''
  return { env, files, directory, hostname, startedAt, program }
}

function* stepsOf(
  pod: Readonly<Pod>,
  container: Readonly<Container>,
  facts: ImageRule,
  environment: Environment,
  startedAt: number,
): Generator<Step, number | 'forever'> {
  const { image = '', command = [], args = [] } = container
  if (isEntry(container, facts)) {
    if (serves(container, facts)) return yield* serve(facts, image, startedAt)
    return yield* once(facts, image, startedAt)
  }
  const words = [...command, ...args].map((word) =>
    word.replace(/\$\((\w+)\)/g, (all, name: string) => environment.env[name] ?? all),
  )
  const lasting = pod.spec.restartPolicy === 'Always' && !isInit(pod, container)
  const program: Machine['program'] = () =>
    lasting ? { exitCode: 'forever' } : { steps: [{ waitMs: PLAIN_MS }], exitCode: 0 }
  try {
    return yield* run(words, machineOf(pod, environment, startedAt, program))
  } catch {
    return program(words).exitCode // Beyond what is understood here.
  }
}

const isInit = ({ spec }: Readonly<Pod>, container: Readonly<Container>): boolean =>
  (spec.initContainers ?? []).some(({ name }) => name === container.name)

/** The rule decides what runs: nobody gave a command, or the rule is for that command. */
function isEntry(
  { command = [], args = [] }: Readonly<Container>,
  { entrypoint, ...rule }: ImageRule,
): boolean {
  if (rule.command !== undefined) return true
  return command.length === 0 && (entrypoint !== 'shell' || args.length === 0)
}

const serves = (container: Readonly<Container>, facts: ImageRule): boolean =>
  isEntry(container, facts) &&
  facts.idle !== 'exit' &&
  facts.seconds === undefined &&
  facts.exitCode === undefined

/** Prints what there is to print, runs its time, and ends. */
function* once(facts: ImageRule, image: string, startedAt: number): Generator<Step, number> {
  const { seconds = 0, exitCode = 0 } = facts
  let left = seconds * 1000
  for (const step of serve(facts, image, startedAt)) {
    if ('waitMs' in step && step.waitMs > left) break
    yield step
    if ('waitMs' in step) left -= step.waitMs
  }
  if (left > 0) yield { waitMs: left }
  return exitCode
}

function* serve(
  { logs = [], every }: ImageRule,
  image: string,
  startedAt: number,
): Generator<Step, 'forever'> {
  const line = (text: string, at: number): Step => ({
    text: `${text.replaceAll('${image}', image).replaceAll('${time}', new Date(at).toISOString())}\n`,
    stream: 1,
  })
  for (const text of logs) yield line(text, startedAt)
  if (!every) return 'forever'
  for (let at = startedAt; ;) {
    at += every.seconds * 1000
    yield { waitMs: every.seconds * 1000 }
    yield line(every.line, at)
  }
}

interface Ending {
  runMs: number | undefined
  exitCode: number
}

const endings = new Map<string, Ending>()
const ENDINGS_LIMIT = 500

/** Replicas do the same: it is worked out once. */
function ending(key: string, work: () => Ending): Ending {
  let known = endings.get(key)
  if (!known) {
    if (endings.size >= ENDINGS_LIMIT) endings.clear()
    endings.set(key, (known = work()))
  }
  return known
}

function playThrough(steps: (startedAt: number) => Generator<Step, number | 'forever'>): Ending {
  const playing = steps(0)
  let ms = 0
  for (let count = 0; count < STEP_LIMIT && ms < LONG_MS; count++) {
    const step = playing.next()
    if (step.done)
      return step.value === 'forever'
        ? { runMs: undefined, exitCode: 0 }
        : { runMs: ms, exitCode: step.value }
    if ('waitMs' in step.value) ms += step.value.waitMs
  }
  return { runMs: undefined, exitCode: 0 }
}

/** Probes over the network find somebody there; those that run a command find what the command says. */
function fails(probe: Probe, environment: Environment, pod: Readonly<Pod>): boolean {
  const { command } = probe.exec ?? {}
  if (!command) return false
  const machine = machineOf(pod, environment, 0, () => ({ exitCode: 0 }))
  // A file that a program would have written cannot be known: reading it is taken to work.
  if (command[0]?.endsWith('cat')) return false
  try {
    const steps = run(command, machine)
    for (let count = 0; count < 1000; count++) {
      const step = steps.next()
      if (step.done) return step.value !== 0
    }
    return true
  } catch {
    return false
  }
}

function readyMs(
  probes: readonly (Probe | undefined)[],
  environment: Environment,
  pod: Readonly<Pod>,
): number | undefined {
  let ms = 0
  for (const probe of probes) {
    if (!probe) continue
    if (fails(probe, environment, pod)) return undefined
    ms +=
      ((probe.initialDelaySeconds ?? 0) + ((probe.successThreshold ?? 1) - 1) * (probe.periodSeconds ?? 10)) *
      1000
  }
  return ms
}

function unhealthyMs(
  probe: Probe | undefined,
  environment: Environment,
  pod: Readonly<Pod>,
): number | undefined {
  if (!probe || !fails(probe, environment, pod)) return undefined
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe
  return (initialDelaySeconds + periodSeconds * failureThreshold) * 1000
}

/** `pods/exec` and `pods/attach`: the few commands that simulated containers know, and what a container prints. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Exchange } from '../../server/exchange.js'
import { machineOf } from '../behaviour/behaviour.js'
import { containerMeant, type Meant } from '../containers.js'
import { type Layers } from '../files/layers.js'
import { type Machine, run } from '../shell/run.js'
import { type Channels, openChannels } from './channels.js'
import { followOn, type LogDeps, runOf, split } from './logs.js'

const NOT_FOUND = 127
/** Sent and not read yet. */
const INPUT_LIMIT = 16 * 1024 * 1024
const BANNER =
  '# This container is simulated: no program runs here. The shell knows cat, echo, env, ls, mkdir, rm, tar and a few more.\r\n'

export interface ExecDeps extends LogDeps {
  layers: Layers
}

export async function serveExec(deps: ExecDeps, exchange: Exchange, pod: Readonly<Pod>): Promise<boolean> {
  const { query } = exchange
  const command = query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  const meant = running(deps, pod, query.get('container'))
  const channels = await openChannels(exchange, 'exec')
  const shell = new Terminal(deps, pod, meant, channels)
  if (isInteractive(command)) shell.interact(isOn(query, 'tty'))
  else shell.play(command, isOn(query, 'stdin'))
  return true
}

export async function serveAttach(deps: LogDeps, exchange: Exchange, pod: Readonly<Pod>): Promise<boolean> {
  const meant = running(deps, pod, exchange.query.get('container'))
  const channels = await openChannels(exchange, 'attach')
  const { rest } = split(meant, runOf(pod, meant), deps.clock.now())
  const write = ({ text }: { text: string }): void => channels.write(1, text)
  channels.onClose(followOn(deps, pod, meant, rest, write, () => channels.finish(0)))
  return true
}

/** @throws StatusError 400 when the container does not run */
function running(deps: LogDeps, pod: Readonly<Pod>, asked: string | null): Meant {
  const meant = containerMeant(deps, pod, asked)
  if (!meant.report?.state?.running) {
    throw badRequest(
      `container ${JSON.stringify(meant.container.name)} in pod ${JSON.stringify(pod.metadata.name)} is not running`,
    )
  }
  return meant
}

function isInteractive(command: readonly string[]): boolean {
  const [first = '', ...rest] = command
  return /(^|\/)(sh|bash|ash)$/.test(first) && rest.every((word) => /^-[il]+$/.test(word))
}

class Terminal {
  #cancel: () => void = () => undefined
  #busy = false

  constructor(
    private readonly deps: ExecDeps,
    private readonly pod: Readonly<Pod>,
    private readonly meant: Meant,
    private readonly channels: Channels,
  ) {
    channels.onClose(() => this.#cancel())
  }

  /** A command of its own, with what the client sends as its input. */
  play(command: readonly string[], hasInput: boolean): void {
    const input = new Input(hasInput, this.channels)
    this.run(command, (exitCode) => this.channels.finish(exitCode), input)
  }

  /** Plays the command in real time. */
  run(command: readonly string[], done: (exitCode: number) => void, input?: Input): void {
    const { clock } = this.deps
    const program: Machine['program'] = ([name = '']) => ({
      steps: [
        {
          text: `${name}: not found (this container is simulated: it knows a few commands only)\n`,
          stream: 2,
        },
      ],
      exitCode: NOT_FOUND,
    })
    const { layers } = this.deps
    const { container, report } = this.meant
    const layer = layers.of(this.pod.metadata.uid ?? '', container.name, report?.containerID ?? '')
    const steps = run(command, machineOf(this.pod, this.meant.environment, clock.now(), program, layer))
    const go = (answer?: unknown): void => {
      for (;;) {
        let step: ReturnType<typeof steps.next>
        try {
          step = steps.next(answer)
        } catch {
          this.channels.write(2, 'sh: syntax error, or beyond what a simulated shell understands\n')
          return done(2)
        }
        answer = undefined
        if (step.done) return step.value === 'forever' ? undefined : done(step.value)
        if ('waitMs' in step.value) {
          this.#cancel = clock.after(step.value.waitMs, () => go())
          return
        }
        if ('ask' in step.value) {
          const { ask } = step.value
          if (ask !== 'input') return void ask.then(go, () => go())
          if (input) return input.next(go)
          continue
        }
        this.channels.write(step.value.stream, step.value.text)
      }
    }
    go()
  }

  /** Line by line, as somebody types. */
  interact(tty: boolean): void {
    const prompt = tty ? '/ # ' : ''
    let typed = ''
    let ended = false
    let last = 0
    const next = (): void => {
      const at = typed.search(/[\r\n]/)
      if (this.#busy) return
      if (at < 0) {
        if (ended) this.channels.finish(last)
        return
      }
      const line = typed.slice(0, at).trim()
      typed = typed.slice(at + 1).replace(/^\n/, '')
      const leaves = /(^|;|&&)\s*exit(\s+\d+)?$/.test(line)
      this.#busy = true
      this.run(['sh', '-c', line], (exitCode) => {
        this.#busy = false
        last = exitCode
        if (leaves) return this.channels.finish(exitCode)
        this.channels.write(1, prompt)
        next()
      })
    }
    this.channels.onInput((bytes) => {
      const text = bytes.toString()
      // A terminal shows what is typed.
      if (tty) this.channels.write(1, text.replace(/\r/g, '\r\n'))
      if (tty && text.includes('\u0004')) return this.channels.finish(0)
      typed += text
      next()
    })
    this.channels.onInputEnd(() => {
      ended = true
      next()
    })
    if (tty) this.channels.write(1, BANNER)
    this.channels.write(1, prompt)
  }
}

/** What the client sends, kept until the command asks for it. */
class Input {
  readonly #pieces: Buffer[] = []
  #size = 0
  #ended: boolean
  #waiting: ((piece: Buffer | undefined) => void) | undefined

  constructor(hasInput: boolean, channels: Channels) {
    this.#ended = !hasInput
    if (!hasInput) return
    channels.onInput((bytes) => {
      if (this.#size > INPUT_LIMIT) return
      this.#pieces.push(bytes)
      this.#size += bytes.length
      // A command that does not read what is sent to it.
      if (this.#size > INPUT_LIMIT) {
        channels.write(2, 'sh: the input is more than a simulated container keeps\n')
        channels.finish(1)
      }
      this.#hand()
    })
    channels.onInputEnd(() => {
      this.#ended = true
      this.#hand()
    })
  }

  /** Undefined after the last piece. */
  next(take: (piece: Buffer | undefined) => void): void {
    this.#waiting = take
    this.#hand()
  }

  #hand(): void {
    if (!this.#waiting || (this.#pieces.length === 0 && !this.#ended)) return
    const take = this.#waiting
    this.#waiting = undefined
    const piece = this.#pieces.shift()
    this.#size -= piece?.length ?? 0
    // Not from within the command that asks: pieces may be many.
    setImmediate(take, piece)
  }
}

const isOn = (query: URLSearchParams, name: string): boolean => ['true', '1'].includes(query.get(name) ?? '')

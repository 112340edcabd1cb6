/** `pods/exec` and `pods/attach`: the few commands that simulated containers know, and what a container prints. */
import { badRequest } from '../../../apimachinery/errors/index.js'
import { type Pod } from '../../builtin/types.js'
import { type Exchange } from '../../server/exchange.js'
import { machineOf } from '../behaviour/behaviour.js'
import { containerMeant, type Meant } from '../containers.js'
import { type Machine, run } from '../shell/run.js'
import { type Channels, openChannels } from './channels.js'
import { followOn, type LogDeps, runOf, split } from './logs.js'

const NOT_FOUND = 127

export async function serveExec(deps: LogDeps, exchange: Exchange, pod: Readonly<Pod>): Promise<boolean> {
  const { query } = exchange
  const command = query.getAll('command')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  const meant = running(deps, pod, query.get('container'))
  const channels = await openChannels(exchange, 'exec')
  const shell = new Terminal(deps, pod, meant, channels)
  if (isInteractive(command)) shell.interact(query.get('tty') === 'true')
  else shell.run(command, (exitCode) => channels.finish(exitCode))
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
function running({ objects }: LogDeps, pod: Readonly<Pod>, asked: string | null): Meant {
  const meant = containerMeant(objects, pod, asked)
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
    private readonly deps: LogDeps,
    private readonly pod: Readonly<Pod>,
    private readonly meant: Meant,
    private readonly channels: Channels,
  ) {
    channels.onClose(() => this.#cancel())
  }

  /** Plays the command in real time. */
  run(command: readonly string[], done: (exitCode: number) => void): void {
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
    const steps = run(command, machineOf(this.pod, this.meant.environment, clock.now(), program))
    const go = (): void => {
      for (;;) {
        let step: ReturnType<typeof steps.next>
        try {
          step = steps.next()
        } catch {
          this.channels.write(2, 'sh: syntax error, or beyond what a simulated shell understands\n')
          return done(2)
        }
        if (step.done) return step.value === 'forever' ? undefined : done(step.value)
        if ('waitMs' in step.value) {
          this.#cancel = clock.after(step.value.waitMs, go)
          return
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
    this.channels.onInput((text) => {
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
    this.channels.write(1, prompt)
  }
}

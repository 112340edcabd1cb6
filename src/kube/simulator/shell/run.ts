/**
 * Runs commands of a container that does not exist: what they would print, how long they would take, how they end.
 *
 * A run is a sequence of steps in its own time; whoever asks decides how much of it has passed. Programs that are not
 * known here are the caller's to explain.
 */
import { posix } from 'node:path'
import { FileFault, type Files } from '../files/files.js'
import { fileCommand } from './filecommands.js'
import { NotUnderstood, type Piece, parseScript, REDIRECTION, type Statement, type Word } from './parse.js'
import { complaint, type Run, type Step } from './steps.js'

export type { Step }

export interface Machine {
  env: Readonly<Record<string, string>>
  hostname: string
  files: Files
  directory?: string
  /** When the run began: what `date` tells. */
  startedAt: number
  /** A program that is not known here. @returns its exit code, or `forever` */
  program: (words: readonly string[]) => { steps?: readonly Step[]; exitCode: number | 'forever' }
}

class Exit extends Error {
  constructor(readonly code: number) {
    super('exit')
  }
}

/** A command as containers have it: words, not a line of shell. @returns the exit code */
export function* run(words: readonly string[], machine: Machine): Run {
  const shell = new Shell(machine)
  try {
    return yield* shell.command(words)
  } catch (error) {
    if (error instanceof Exit) return error.code
    throw error
  }
}

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash'])
const DURATION = /^(\d+(?:\.\d+)?)([smhd]?)$/
const UNITS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/**
 * A script is somebody's, and runs where everybody's requests do: what it may do without waiting, in all, and with how
 * much text.
 */
const BUSY_LIMIT = 10_000
const TOTAL_LIMIT = 1_000_000
const TEXT_LIMIT = 64 * 1024
/** Bytes that are as much work as a statement. */
const WORK_BYTES = 4096
const DEVICES: Readonly<Record<string, 1 | 2>> = {
  '/dev/stdout': 1,
  '/proc/1/fd/1': 1,
  '/dev/stderr': 2,
  '/proc/1/fd/2': 2,
}
/** Loops that never wait would never end. */
const BREATH_MS = 10

class Shell {
  readonly #variables: Record<string, string>
  #passedMs = 0
  #busy = 0
  #total = 0
  #last = 0
  #directory: string

  constructor(private readonly machine: Machine) {
    this.#variables = { ...machine.env }
    this.#directory = machine.directory ?? '/'
  }

  *command(words: readonly string[]): Run {
    const [first = '', ...rest] = words
    const name = first.split('/').at(-1) ?? ''
    if (SHELLS.has(name)) return yield* this.#shell(rest)
    if (name === 'exec' || name === 'command' || name === 'nohup') return yield* this.command(rest)
    if (name === 'timeout') return yield* this.command(rest.slice(1))
    if (name === 'env' && rest.length > 0) return yield* this.command(rest)
    return yield* this.#builtin(name, rest, words)
  }

  *#shell(args: readonly string[]): Run {
    const at = args.findIndex((arg) => /^-[a-z]*c$/.test(arg))
    const script = at < 0 ? undefined : args[at + 1]
    // A shell without a script reads from a terminal that nobody sits at.
    if (script === undefined) return args.length > 0 ? this.#program(['sh', ...args]) : 0
    return yield* this.#all(parseScript(script))
  }

  *#all(statements: readonly Statement[]): Run {
    let code: number | 'forever' = 0
    for (const statement of statements) {
      code = yield* this.#statement(statement)
      if (code === 'forever') return code
      this.#last = code
    }
    return code
  }

  *#statement(statement: Statement): Run {
    this.#work(1)
    switch (statement.kind) {
      case 'command': {
        const code = yield* this.#simple(statement)
        return statement.pipedInto && code !== 'forever' ? 0 : code
      }
      case 'and':
      case 'or': {
        const left = yield* this.#statement(statement.left)
        if (left === 'forever') return left
        return (left === 0) === (statement.kind === 'and') ? yield* this.#statement(statement.right) : left
      }
      case 'if': {
        const holds = yield* this.#all(statement.condition)
        if (holds === 'forever') return holds
        return yield* this.#all(holds === 0 ? statement.then : statement.else)
      }
      case 'for':
        for (const word of statement.words.flatMap((each) => this.#fill(each).split(/\s+/))) {
          this.#variables[statement.variable] = word
          if ((yield* this.#all(statement.body)) === 'forever') return 'forever'
        }
        return 0
      case 'loop':
        for (;;) {
          const before = this.#passedMs
          const holds = yield* this.#all(statement.condition)
          if (holds === 'forever') return holds
          if ((holds === 0) === statement.until) return 0
          if ((yield* this.#all(statement.body)) === 'forever') return 'forever'
          if (this.#passedMs === before) yield this.#wait(BREATH_MS)
        }
    }
  }

  *#simple({ words }: { words: readonly Word[] }): Run {
    let size = 0
    const filled = words.map((word) => {
      const text = this.#fill(word)
      size += text.length
      if (size > TEXT_LIMIT) throw new NotUnderstood('a command is too long')
      return text
    })
    const plain = filled.filter((word) => !word.startsWith(REDIRECTION))
    const assignment = plain.length === 1 ? /^(\w+)=(.*)$/s.exec(plain[0] ?? '') : null
    if (assignment) {
      this.#variables[assignment[1] ?? ''] = assignment[2] ?? ''
      return 0
    }
    const while_ = plain.findIndex((word) => !/^\w+=/.test(word))
    return yield* this.#redirected(
      filled.filter((word) => word.startsWith(REDIRECTION)),
      plain.slice(Math.max(0, while_)),
    )
  }

  /** Runs a command with its input and output where the redirections say. */
  *#redirected(redirections: readonly string[], words: readonly string[]): Run {
    const streams = new Map<1 | 2, string | 1 | 2>()
    let input: string | undefined
    for (const each of redirections) {
      const [, fd = '', operator = '', target = ''] = /^.(\d*)(>>|>\||>|<)(.*)$/s.exec(each) ?? []
      const stream = fd === '2' ? 2 : 1
      const device = DEVICES[target]
      if (operator === '<') input = target
      else if (device) streams.set(stream, device)
      else if (/^&[12]$/.test(target)) {
        const other = target === '&2' ? 2 : 1
        streams.set(stream, streams.get(other) ?? other)
      } else {
        const fault = this.#open(target, operator === '>>')
        if (fault !== undefined) return yield* this.#complain(`can't create ${target}: ${fault}`)
        streams.set(stream, target)
      }
    }
    const source = input === undefined ? undefined : this.machine.files.file(this.#path(input))
    if (input !== undefined && !source) return yield* this.#complain(`can't open ${input}: no such file`)
    if (words.length === 0) return 0
    const steps = this.command(words)
    let answer: unknown
    let given = false
    for (;;) {
      const step = steps.next(answer)
      answer = undefined
      if (step.done) return step.value
      if ('waitMs' in step.value) yield step.value
      else if ('ask' in step.value) {
        if (step.value.ask !== 'input' || !source) {
          answer = yield step.value
          // Whoever answers has let others work in between.
          if (answer !== undefined) this.#busy = 0
        } else if (!given) [answer, given] = [source.content, true]
      } else {
        const { text, stream } = step.value
        const target = streams.get(stream) ?? stream
        if (typeof target === 'number') yield { text, stream: target }
        else {
          const fault = this.#append(target, Buffer.from(text))
          if (fault !== undefined) return yield* this.#complain(`write error: ${fault}`)
        }
      }
    }
  }

  *#complain(what: string): Run {
    yield complaint(`sh: ${what}`)
    return 1
  }

  /** @returns why not */
  #open(path: string, append: boolean): string | undefined {
    return append
      ? undefined
      : this.#written(() => this.machine.files.write(this.#path(path), Buffer.alloc(0)))
  }

  #append(path: string, bytes: Buffer): string | undefined {
    const { files } = this.machine
    const at = this.#path(path)
    this.#work((bytes.length + (files.file(at)?.content.length ?? 0)) / WORK_BYTES)
    return this.#written(() => files.write(at, bytes, { append: true }))
  }

  #written(write: () => void): string | undefined {
    try {
      write()
      return undefined
    } catch (error) {
      if (error instanceof FileFault) return error.message
      throw error
    }
  }

  #path(path: string): string {
    return posix.resolve(this.#directory, path)
  }

  /** @throws NotUnderstood when it has done too much without waiting */
  #work(amount: number): void {
    this.#busy += amount
    this.#total += amount
    if (this.#busy > BUSY_LIMIT || this.#total > TOTAL_LIMIT) throw new NotUnderstood('it does too much')
  }

  #wait(ms: number): Step {
    this.#passedMs += ms
    this.#busy = 0
    return { waitMs: ms }
  }

  #fill(word: readonly Piece[]): string {
    return word.map((piece) => ('text' in piece ? piece.text : this.#value(piece.variable))).join('')
  }

  #value(name: string): string {
    if (name === '?') return String(this.#last)
    if (!name.startsWith('(')) return this.#variables[name] ?? ''
    let output = ''
    const shell = new Shell(this.machine)
    shell.#passedMs = this.#passedMs
    shell.#directory = this.#directory
    const steps = shell.#all(parseScript(name.slice(1)))
    // What a substitution prints is short; one that waits has printed what it will.
    for (let step = steps.next(), n = 0; !step.done && n < 100; step = steps.next(), n++) {
      if ('waitMs' in step.value) break
      if ('ask' in step.value) continue
      if (step.value.stream === 1) output += step.value.text.toString()
    }
    return output.replace(/\n+$/, '')
  }

  *#builtin(name: string, args: readonly string[], words: readonly string[]): Run {
    const out = (text: string): Step => ({ text, stream: 1 })
    const { machine } = this
    switch (name) {
      case 'true':
      case ':':
      case 'set':
      case 'trap':
      case 'wait':
      case 'chmod':
      case 'chown':
      case 'kill':
      case 'sync':
        return 0
      case 'export':
        for (const each of args) {
          const [key = '', ...value] = each.split('=')
          this.#variables[key] = value.join('=')
        }
        return 0
      case 'cd':
        // What directories an image has is not known.
        this.#directory = this.#path(args[0] ?? '/root')
        return 0
      case 'false':
        return 1
      case 'exit':
        throw new Exit(Number.parseInt(args[0] ?? String(this.#last), 10) & 255)
      case 'sleep': {
        const amount = args[0] ?? ''
        if (amount === 'infinity' || amount === 'inf') return 'forever'
        const found = DURATION.exec(amount)
        if (!found) {
          yield { text: `sleep: invalid time interval '${amount}'\n`, stream: 2 }
          return 1
        }
        yield this.#wait(Number(found[1]) * (UNITS[found[2] ?? ''] ?? 1000))
        return 0
      }
      case 'echo': {
        const plain = args[0] === '-n' || args[0] === '-e' ? args.slice(1) : args
        const text = args[0] === '-e' ? unescaped(plain.join(' ')) : plain.join(' ')
        yield out(args[0] === '-n' ? text : `${text}\n`)
        return 0
      }
      case 'printf': {
        let at = 1
        yield out(unescaped(args[0] ?? '').replace(/%[sd]/g, () => args[at++] ?? ''))
        return 0
      }
      case 'env':
      case 'printenv': {
        const [key] = args
        const all = Object.entries(this.#variables).map(([each, value]) => `${each}=${value}\n`)
        const value = key === undefined ? all.join('') : this.#variables[key]
        if (value === undefined) return 1
        yield out(key === undefined ? value : `${value}\n`)
        return 0
      }
      case 'hostname':
        yield out(`${machine.hostname}\n`)
        return 0
      case 'date':
        yield out(`${dateText(machine.startedAt + this.#passedMs, args)}\n`)
        return 0
      case 'pwd':
        yield out(`${this.#directory}\n`)
        return 0
      case 'whoami':
        yield out('root\n')
        return 0
      case 'id':
        yield out('uid=0(root) gid=0(root) groups=0(root)\n')
        return 0
      case 'uname':
        yield out(
          args.includes('-a') ? `Linux ${machine.hostname} 5.10.0-simulated x86_64 GNU/Linux\n` : 'Linux\n',
        )
        return 0
      case 'ps':
        yield out('PID   USER     COMMAND\n    1 root     simulated\n')
        return 0
      case 'test':
      case '[':
        return this.#test(args.filter((arg) => arg !== ']'))
      default: {
        const command = fileCommand(name)
        if (command) {
          const path = (each: string): string => this.#path(each)
          const work = (bytes: number): void => this.#work(bytes / WORK_BYTES)
          return yield* command({ files: machine.files, path, work }, args)
        }
        const { steps = [], exitCode } = machine.program(words)
        for (const step of steps) yield 'waitMs' in step ? this.#wait(step.waitMs) : step
        return exitCode
      }
    }
  }

  #program(words: readonly string[]): number | 'forever' {
    return this.machine.program(words).exitCode
  }

  #test(args: readonly string[]): number {
    const { files } = this.machine
    const [first = '', operator = '', third] = args
    if (first === '!') return this.#test(args.slice(1)) === 0 ? 1 : 0
    const at = this.#path(operator)
    const isThere =
      first === '-d' ? files.isDirectory(at) : first === '-f' ? files.file(at) : files.exists(at)
    if (first === '-s') return files.file(at)?.content.length ? 0 : 1
    let holds = first !== ''
    if (third !== undefined) {
      const [a, b] = [Number(first), Number(third)]
      const comparisons: Record<string, boolean> = {
        '=': first === third,
        '==': first === third,
        '!=': first !== third,
        '-eq': a === b,
        '-ne': a !== b,
        '-lt': a < b,
        '-le': a <= b,
        '-gt': a > b,
        '-ge': a >= b,
      }
      holds = comparisons[operator] ?? false
    } else if (first === '-z') holds = operator === ''
    else if (first === '-n') holds = operator !== ''
    else if (/^-[efdrsx]$/.test(first)) holds = Boolean(isThere) && operator !== ''
    return holds ? 0 : 1
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([nt\\])/g, (_all, char: string) =>
    char === 'n' ? '\n' : char === 't' ? '\t' : '\\',
  )
}

function dateText(ms: number, args: readonly string[]): string {
  const date = new Date(ms)
  const format = args.find((arg) => arg.startsWith('+'))
  if (format === undefined)
    return date.toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 UTC $4')
  const iso = date.toISOString()
  const parts: Record<string, string> = {
    s: String(Math.floor(ms / 1000)),
    Y: iso.slice(0, 4),
    m: iso.slice(5, 7),
    d: iso.slice(8, 10),
    H: iso.slice(11, 13),
    M: iso.slice(14, 16),
    S: iso.slice(17, 19),
    F: iso.slice(0, 10),
    T: iso.slice(11, 19),
    N: `${iso.slice(20, 23)}000000`,
  }
  return format.slice(1).replace(/%(\w)/g, (all, key: string) => parts[key] ?? all)
}

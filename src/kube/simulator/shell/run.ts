/**
 * Runs commands of a container that does not exist: what they would print, how long they would take, how they end.
 *
 * A run is a sequence of steps in its own time; whoever asks decides how much of it has passed. Programs that are not
 * known here are the caller's to explain.
 */
import { NotUnderstood, type Piece, parseScript, type Statement, type Word } from './parse.js'

export type Step = { waitMs: number } | { text: string; stream: 1 | 2 }

export interface Machine {
  env: Readonly<Record<string, string>>
  hostname: string
  files: Readonly<Record<string, string>>
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
export function* run(words: readonly string[], machine: Machine): Generator<Step, number | 'forever'> {
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
/** Loops that never wait would never end. */
const BREATH_MS = 10

type Run = Generator<Step, number | 'forever'>

class Shell {
  readonly #variables: Record<string, string>
  #passedMs = 0
  #busy = 0
  #total = 0
  #last = 0

  constructor(private readonly machine: Machine) {
    this.#variables = { ...machine.env }
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
    if (++this.#busy > BUSY_LIMIT || ++this.#total > TOTAL_LIMIT) throw new NotUnderstood('it does too much')
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
    const isRedirected = filled.some((word) => /^\uE000\d*>/.test(word) && !/^\uE0002>/.test(word))
    const plain = filled.filter((word) => !word.startsWith('\uE000'))
    const assignment = plain.length === 1 ? /^(\w+)=(.*)$/s.exec(plain[0] ?? '') : null
    if (assignment) {
      this.#variables[assignment[1] ?? ''] = assignment[2] ?? ''
      return 0
    }
    const while_ = plain.findIndex((word) => !/^\w+=/.test(word))
    const steps = this.command(plain.slice(Math.max(0, while_)))
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      if ('waitMs' in step.value || step.value.stream === 2 || !isRedirected) yield step.value
    }
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
    const steps = shell.#all(parseScript(name.slice(1)))
    // What a substitution prints is short; one that waits has printed what it will.
    for (let step = steps.next(), n = 0; !step.done && n < 100; step = steps.next(), n++) {
      if ('waitMs' in step.value) break
      if (step.value.stream === 1) output += step.value.text
    }
    return output.replace(/\n+$/, '')
  }

  *#builtin(name: string, args: readonly string[], words: readonly string[]): Run {
    const out = (text: string): Step => ({ text, stream: 1 })
    const { machine } = this
    switch (name) {
      case 'true':
      case ':':
      case 'cd':
      case 'set':
      case 'trap':
      case 'wait':
      case 'touch':
      case 'mkdir':
      case 'rm':
      case 'chmod':
      case 'kill':
      case 'sync':
        return 0
      case 'export':
        for (const each of args) {
          const [key = '', ...value] = each.split('=')
          this.#variables[key] = value.join('=')
        }
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
        yield out('/\n')
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
      case 'cat':
        return yield* this.#cat(args)
      case 'ls':
        return yield* this.#list(args)
      default: {
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
    const isThere = (path: string): boolean =>
      Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`))
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
    else if (/^-[efdrsx]$/.test(first)) holds = isThere(operator)
    return holds ? 0 : 1
  }

  *#cat(paths: readonly string[]): Run {
    let code = 0
    for (const path of paths) {
      const content = this.machine.files[path]
      if (content === undefined) {
        yield { text: `cat: can't open '${path}': No such file or directory\n`, stream: 2 }
        code = 1
      } else yield { text: content, stream: 1 }
    }
    return code
  }

  *#list(args: readonly string[]): Run {
    const path = (args.find((arg) => !arg.startsWith('-')) ?? '/').replace(/\/+$/, '')
    const entries = new Set<string>()
    for (const file of Object.keys(this.machine.files)) {
      if (file === path) entries.add(file)
      else if (file.startsWith(`${path}/`)) entries.add(file.slice(path.length + 1).split('/')[0] ?? '')
    }
    if (entries.size === 0) {
      yield { text: `ls: ${path}: No such file or directory\n`, stream: 2 }
      return 1
    }
    yield {
      text: [...entries]
        .sort()
        .map((entry) => `${entry}\n`)
        .join(''),
      stream: 1,
    }
    return 0
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

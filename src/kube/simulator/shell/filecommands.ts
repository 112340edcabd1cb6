/** Commands that read and write files. */
import { posix } from 'node:path'
import { FileFault, type Files } from '../files/files.js'
import { complaint, type Run, said } from './steps.js'
import { tar } from './tar.js'

export interface FileContext {
  files: Files
  /** From where the shell is. */
  path: (text: string) => string
  /** Counts bytes as work. */
  work: (bytes: number) => void
}

export type FileCommand = (context: FileContext, args: readonly string[]) => Run

export function fileCommand(name: string): FileCommand | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
}

const COMMANDS: Readonly<Record<string, FileCommand>> = {
  cat,
  ls,
  mkdir: (context, args) => each('mkdir', args, (path) => context.files.makeDirectory(context.path(path))),
  touch: (context, args) =>
    each('touch', args, (path) => {
      const at = context.path(path)
      if (!context.files.isDirectory(at)) context.files.write(at, Buffer.alloc(0), { append: true })
    }),
  rm: (context, args) => {
    const forced = args.some((arg) => /^-\w*f/.test(arg))
    const recursive = args.some((arg) => /^-\w*[rR]/.test(arg))
    return each('rm', args, (path) => {
      const at = context.path(path)
      if (!context.files.exists(at)) {
        if (!forced) throw new FileFault('No such file or directory')
      } else if (context.files.isDirectory(at) && !recursive) throw new FileFault('Is a directory')
      else context.files.remove(at)
    })
  },
  tar,
  tee,
}

const plain = (args: readonly string[]): string[] => args.filter((arg) => arg === '-' || !arg.startsWith('-'))

function* each(name: string, args: readonly string[], act: (path: string) => void): Run {
  let code = 0
  for (const path of plain(args)) {
    try {
      act(path)
    } catch (error) {
      if (!(error instanceof FileFault)) throw error
      yield complaint(`${name}: ${path}: ${error.message}`)
      code = 1
    }
  }
  return code
}

function* cat({ files, path, work }: FileContext, args: readonly string[]): Run {
  let code = 0
  const names = plain(args)
  for (const name of names.length > 0 ? names : ['-']) {
    if (name === '-') {
      for (let piece = yield { ask: 'input' }; piece; piece = yield { ask: 'input' }) {
        work((piece as Buffer).length)
        yield said(piece as Buffer)
      }
      continue
    }
    const node = files.file(path(name))
    if (node) {
      work(node.content.length)
      yield said(node.content)
      continue
    }
    const isDirectory = files.isDirectory(path(name))
    yield complaint(
      isDirectory
        ? 'cat: read error: Is a directory'
        : `cat: can't open '${name}': No such file or directory`,
    )
    code = 1
  }
  return code
}

/** Copies its input to files too. */
function* tee({ files, path, work }: FileContext, args: readonly string[]): Run {
  const names = plain(args)
  const append = args.includes('-a')
  try {
    if (!append) for (const name of names) files.write(path(name), Buffer.alloc(0))
    for (let piece = yield { ask: 'input' }; piece; piece = yield { ask: 'input' }) {
      for (const name of names) {
        work((piece as Buffer).length + (files.file(path(name))?.content.length ?? 0))
        files.write(path(name), piece as Buffer, { append: true })
      }
      yield said(piece as Buffer)
    }
  } catch (error) {
    if (!(error instanceof FileFault)) throw error
    yield complaint(`tee: ${error.message}`)
    return 1
  }
  return 0
}

function* ls({ files, path, work }: FileContext, args: readonly string[]): Run {
  const isLong = args.some((arg) => /^-\w*l/.test(arg))
  const isAll = args.some((arg) => /^-\w*a/.test(arg))
  const names = plain(args)
  let code = 0
  for (const name of names.length > 0 ? names : ['.']) {
    const at = path(name)
    if (!files.exists(at)) {
      yield complaint(`ls: ${name}: No such file or directory`)
      code = 1
      continue
    }
    const isFile = files.file(at) !== undefined
    const entries = isFile ? [name] : files.names(at).filter((entry) => isAll || !entry.startsWith('.'))
    work(entries.length * 4096)
    for (const entry of entries) {
      yield said(`${isLong ? long(files, isFile ? at : posix.join(at, entry)) : ''}${entry}\n`)
    }
  }
  return code
}

function long(files: Files, path: string): string {
  const node = files.file(path)
  const mode = node?.mode ?? 0o755
  const bits = [...'rwxrwxrwx'].map((char, index) => (mode & (0o400 >> index) ? char : '-')).join('')
  const size = String(node?.content.length ?? 4096).padStart(8)
  const date = new Date(node?.changedAt ?? 0).toISOString().slice(0, 16).replace('T', ' ')
  return `${node ? '-' : 'd'}${bits} 1 root root ${size} ${date} `
}

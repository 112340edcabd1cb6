/** `tar`, as far as `kubectl cp` and people with pipes use it: `tar cf - PATH...`, `tar xf - [-C DIRECTORY]`. */
import { posix } from 'node:path'
import { CONTAINER_BYTES } from '../files/layers.js'
import { FileFault, type FileNode, type Files } from '../files/files.js'
import { type FileContext } from './filecommands.js'
import { complaint, type Run } from './steps.js'

interface Wanted {
  mode: 'c' | 'x' | 't' | undefined
  file: string
  directory: string | undefined
  names: string[]
}

const USAGE = 2
const BLOCK = 512
/** A little more than a container takes, for the headers. */
const ARCHIVE_LIMIT = 2 * CONTAINER_BYTES

export function* tar(context: FileContext, args: readonly string[]): Run {
  const wanted = wantedOf(args)
  const { mode, file, directory } = wanted
  if (mode === undefined) {
    yield complaint('tar: need one of -c, -x, -t (this container is simulated)')
    return USAGE
  }
  const from = context.path(directory ?? '.')
  try {
    return mode === 'c' ? yield* create(context, wanted, from) : yield* open(context, wanted, from)
  } catch (error) {
    if (!(error instanceof FileFault)) throw error
    yield complaint(`tar: ${file}: ${error.message}`)
    return 1
  }
}

/** `xmf`, `-xmf -`, `--directory=...`, in any order; what changes owners and modes does nothing here. */
function wantedOf(args: readonly string[]): Wanted {
  const wanted: Wanted = { mode: undefined, file: '-', directory: undefined, names: [] }
  const rest = [...args]
  let isFirst = true
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg.startsWith('--')) {
      const [name, value] = arg.split('=', 2)
      if (name === '--directory') wanted.directory = value ?? rest.shift()
      if (name === '--file') wanted.file = value ?? rest.shift() ?? '-'
      if (name === '--create') wanted.mode = 'c'
      if (name === '--extract') wanted.mode = 'x'
    } else if (isFirst || (arg.startsWith('-') && arg !== '-')) {
      for (const letter of arg.replace(/^-/, '')) {
        if (letter === 'c' || letter === 'x' || letter === 't') wanted.mode = letter
        if (letter === 'f') wanted.file = rest.shift() ?? '-'
        if (letter === 'C') wanted.directory = rest.shift()
      }
    } else wanted.names.push(arg)
    isFirst = false
  }
  return wanted
}

function* create({ files, path, work }: FileContext, { file, names }: Wanted, from: string): Run {
  const members: { name: string; node: FileNode | undefined }[] = []
  let code = 0
  for (const name of names) {
    const at = posix.resolve(from, name)
    if (!files.exists(at)) {
      yield complaint(`tar: ${name}: Cannot stat: No such file or directory`)
      code = 1
      continue
    }
    if (name.startsWith('/')) yield complaint("tar: removing leading '/' from member names")
    for (const [each, node] of files.below(at)) {
      const relative = posix.join(name, posix.relative(at, each)).replace(/^\/+/, '')
      work(node?.content.length ?? BLOCK)
      members.push({ name: relative || '.', node })
    }
  }
  const bytes = (yield { ask: packed(members) }) as Buffer | undefined
  if (!bytes) return 1 // Nobody waits for it.
  if (file === '-') yield { text: bytes, stream: 1 }
  else files.write(path(file), bytes)
  if (code !== 0) yield complaint('tar: Exiting with failure status due to previous errors')
  return code
}

async function packed(members: readonly { name: string; node: FileNode | undefined }[]): Promise<Buffer> {
  const { pack } = await import('tar-stream') // Loaded when somebody copies files.
  const archive = pack()
  for (const { name, node } of members) {
    const mtime = new Date(node?.changedAt ?? 0)
    if (node) archive.entry({ name, mode: node.mode, mtime }, node.content)
    else archive.entry({ name: `${name}/`, mode: 0o755, mtime, type: 'directory' })
  }
  archive.finalize()
  const pieces: Buffer[] = []
  for await (const piece of archive as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

function* open({ files, path, work }: FileContext, { mode, file, names }: Wanted, to: string): Run {
  const archive = file === '-' ? yield* input(work) : files.file(path(file))?.content
  if (!archive) throw new FileFault('Cannot open: No such file or directory')
  const members = (yield { ask: unpacked(archive) }) as Member[] | Error | undefined
  if (members === undefined) return 1 // Nobody waits for it.
  if (members instanceof Error)
    throw new FileFault(`This does not look like a tar archive: ${members.message}`)
  let code = 0
  for (const member of members) {
    const isWanted = names.length === 0 || names.some((name) => within(member.name, name))
    if (!isWanted) continue
    work(member.content.length + BLOCK)
    if (mode === 't') yield { text: `${member.name}\n`, stream: 1 }
    else {
      const fault = placed(files, to, member)
      if (fault === undefined) continue
      yield complaint(`tar: ${member.name}: ${fault}`)
      code = 1
    }
  }
  if (code !== 0) yield complaint('tar: Exiting with failure status due to previous errors')
  return code
}

const within = (name: string, wanted: string): boolean =>
  posix.normalize(name) === posix.normalize(wanted) || name.startsWith(`${wanted.replace(/\/+$/, '')}/`)

/** @returns why it was not written */
function placed(files: Files, to: string, { name, type, mode, content }: Member): string | undefined {
  if (name.split('/').includes('..')) return "Member name contains '..'"
  const at = posix.join(to, name)
  try {
    if (type === 'directory') files.makeDirectory(at)
    else if (type === 'file') files.write(at, content, { mode })
    else return `a ${type} is not simulated`
    return undefined
  } catch (error) {
    if (error instanceof FileFault) return error.message
    throw error
  }
}

/** All of it, until the archive says that it ends: not every client can close its side. */
function* input(work: (bytes: number) => void): Generator<{ ask: 'input' }, Buffer, unknown> {
  const pieces: Buffer[] = []
  let size = 0
  let next = 0
  for (let piece = yield { ask: 'input' }; piece; piece = yield { ask: 'input' }) {
    pieces.push(piece as Buffer)
    size += (piece as Buffer).length
    work((piece as Buffer).length)
    if (size > ARCHIVE_LIMIT) throw new FileFault('No space left on device')
    if (size < next + BLOCK) continue
    const whole = Buffer.concat(pieces)
    pieces.splice(0, pieces.length, whole)
    while (next + BLOCK <= size) {
      const header = whole.subarray(next, next + BLOCK)
      if (header.every((byte) => byte === 0)) return whole
      const length = Number.parseInt(header.toString('latin1', 124, 136), 8) || 0
      next += BLOCK + Math.ceil(length / BLOCK) * BLOCK
    }
  }
  return Buffer.concat(pieces)
}

interface Member {
  name: string
  type: string
  mode: number
  content: Buffer
}

async function unpacked(archive: Buffer): Promise<Member[] | Error> {
  const { extract } = await import('tar-stream')
  const members: Member[] = []
  const reader = extract()
  reader.end(archive)
  try {
    for await (const entry of reader) {
      const { name, type, mode } = entry.header
      const pieces: Buffer[] = []
      for await (const piece of entry as AsyncIterable<Buffer>) pieces.push(piece)
      members.push({ name, type: type ?? 'file', mode: mode ?? 0o644, content: Buffer.concat(pieces) })
    }
  } catch (error) {
    return error as Error
  }
  return members
}

/**
 * Finds and reads the configuration: defaults, then the file, then `KUBESPHERE_*` variables, then flags.
 *
 * The file is `kubesphere.yaml` in /etc/kubesphere or the working directory, first hit wins (core.md §1.1).
 * Unlike the original, a variable overrides any key, whether or not the file mentions it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { type Field, type Problem, type Report } from './field.js'
import { checkIdentityProvider } from './identityproviders.js'
import { schema, type Options } from './options.js'

export interface LoadRequest {
  /** A file named by the user; it must exist. */
  file?: string | undefined
  /** Where to look when none is named. */
  directories: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  /** Values of flags, by dotted path. */
  overrides?: Readonly<Record<string, unknown>>
}

export interface Loaded {
  options: Options
  /** The file that was read, if any. */
  file: string | undefined
  warnings: Problem[]
  /** Variables that took effect, by name. */
  variables: string[]
}

/** What is wrong with the configuration, every fault at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  constructor(
    readonly file: string | undefined,
    readonly problems: readonly Problem[],
  ) {
    super(problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('\n'))
  }
}

export const FILE_STEM = 'kubesphere'
const READABLE = ['json', 'yaml', 'yml']
const UNREADABLE = ['toml', 'properties', 'props', 'prop', 'hcl']

/** @throws ConfigurationError */
export function loadConfiguration(request: LoadRequest): Loaded {
  const found = request.file === undefined ? search(request.directories) : readNamed(request.file)
  const report: Report = { errors: [], warnings: [] }
  const tree = found === undefined ? {} : parse(found.file, found.text)
  const variables = applyEnvironment(tree, request.environment)
  for (const [path, value] of Object.entries(request.overrides ?? {})) setPath(tree, path.split('.'), value)
  const options = schema.decode(tree, '', report)
  if (options === undefined || report.errors.length > 0)
    throw new ConfigurationError(found?.file, report.errors)
  const faults = validate(options, report)
  if (faults.length > 0) throw new ConfigurationError(found?.file, faults)
  return { options, file: found?.file, warnings: report.warnings, variables }
}

function search(directories: readonly string[]): { file: string; text: string } | undefined {
  for (const directory of directories) {
    for (const extension of [...READABLE, ...UNREADABLE]) {
      const file = join(directory, `${FILE_STEM}.${extension}`)
      const text = readIfThere(file)
      if (text === undefined) continue
      if (UNREADABLE.includes(extension)) {
        throw new ConfigurationError(file, [
          { path: '', message: `${file}: only YAML and JSON are read; convert it to ${FILE_STEM}.yaml` },
        ])
      }
      return { file, text }
    }
  }
  return undefined
}

function readNamed(file: string): { file: string; text: string } {
  try {
    return { file, text: readFileSync(file, 'utf8') }
  } catch (error) {
    throw new ConfigurationError(file, [
      { path: '', message: `cannot read ${file}: ${(error as Error).message}` },
    ])
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigurationError(file, [
      { path: '', message: `cannot read ${file}: ${(error as Error).message}` },
    ])
  }
}

type Tree = Record<string, unknown>

function parse(file: string, text: string): Tree {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigurationError(
      file,
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return {
          path: '',
          message: `error parsing configuration file: ${file}:${line}:${col}: ${error.message}`,
        }
      }),
    )
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigurationError(file, [
      { path: '', message: `error parsing configuration file: ${file}: expected a map at the top` },
    ])
  }
  return value as Tree
}

/** @returns the names of the variables that were used */
function applyEnvironment(tree: Tree, environment: LoadRequest['environment']): string[] {
  const used: string[] = []
  for (const path of leafPaths(schema)) {
    const name = `KUBESPHERE_${path.join('_').toUpperCase()}`
    const value = environment[name]
    if (value === undefined || value === '') continue
    setPath(tree, path, value)
    used.push(name)
  }
  return used
}

function* leafPaths(field: Field<unknown>, path: string[] = []): Generator<string[]> {
  for (const [key, child] of Object.entries(field.fields ?? {})) {
    if (child.fields) yield* leafPaths(child, [...path, key])
    else yield [...path, key]
  }
}

/** Sets a value below a tree whose keys may be written in any case. */
function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree
  path.forEach((key, depth) => {
    const written =
      Object.keys(node).find((candidate) => candidate.toLowerCase() === key.toLowerCase()) ?? key
    if (depth === path.length - 1) {
      node[written] = value
      return
    }
    const next = node[written]
    if (next === null || typeof next !== 'object' || Array.isArray(next)) node[written] = {}
    node = node[written] as Tree
  })
}

/** Rules between fields; core.md §1.3, "Validation that aborts start". The token secret is checked where it is needed. */
function validate(options: Options, report: Report): Problem[] {
  const problems = report.errors
  const { authentication, alerting, devops } = options
  if (authentication.authenticateRateLimiterMaxTries > authentication.loginHistoryMaximumEntries) {
    problems.push({
      path: 'authentication.authenticateRateLimiterMaxTries',
      message: 'must not be greater than loginHistoryMaximumEntries',
    })
  }
  const { identityProviders } = authentication.oauthOptions
  const pathOf = (position: number): string => `authentication.oauthOptions.identityProviders[${position}]`
  const names = new Set<string>()
  identityProviders.forEach(({ name }, position) => {
    if (names.has(name)) {
      const message = `duplicate identity provider found: ${name}, name must be unique`
      problems.push({ path: `${pathOf(position)}.name`, message })
    }
    names.add(name)
  })
  identityProviders.forEach((provider, position) => checkIdentityProvider(provider, pathOf(position), report))
  if (alerting.thanosRuleResourceLabels !== '') {
    for (const pair of alerting.thanosRuleResourceLabels.split(',')) {
      if (!/^[^=]+=[^=]*$/.test(pair)) {
        problems.push({ path: 'alerting.thanosRuleResourceLabels', message: `expected k=v,k=v, got ${pair}` })
      }
    }
  }
  if (devops.host !== '') {
    if (devops.username === '')
      problems.push({ path: 'devops.username', message: 'required when devops.host is set' })
    if (devops.password === '')
      problems.push({ path: 'devops.password', message: 'required when devops.host is set' })
    if (devops.maxConnections <= 0)
      problems.push({ path: 'devops.maxConnections', message: 'must be greater than 0' })
  }
  return problems
}

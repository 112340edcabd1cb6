/** Parses Go templates: https://pkg.go.dev/text/template, "Actions" and "Pipelines". */
import { pieces, TemplateError, type Token } from './lex.js'

export type Expression =
  | { is: 'dot' }
  | { is: 'literal'; value: unknown }
  | { is: 'fields'; of: Expression; names: string[] }
  | { is: 'variable'; name: string }
  | { is: 'call'; name: string }
  | { is: 'pipe'; pipe: Pipeline }

/** One command: what is called, and with what. */
export type Command = Expression[]

export interface Pipeline {
  commands: Command[]
  /** Variables that take the value: of a range two may be named. */
  variables: string[]
  declares: boolean
}

export type Node =
  | { is: 'text'; text: string }
  | { is: 'output'; pipe: Pipeline }
  | { is: 'if' | 'with' | 'range'; pipe: Pipeline; then: Node[]; otherwise: Node[] }
  | { is: 'template'; name: string; pipe: Pipeline | undefined }
  | { is: 'break' | 'continue' }

export type Templates = Map<string, Node[]>

const DEEPEST = 100

/** Adds what the source defines to the templates, and returns its own body. @throws TemplateError */
export function parseTemplate(source: string, into: Templates): Node[] {
  const all = pieces(source)
  let at = 0
  const body = list(0, false)
  return body.nodes

  function list(depth: number, nested: boolean): { nodes: Node[]; end: Token[] } {
    if (depth > DEEPEST) throw new TemplateError('actions are nested too deeply')
    const nodes: Node[] = []
    while (at < all.length) {
      const piece = all[at++]
      if (piece === undefined) break
      if ('text' in piece) {
        nodes.push({ is: 'text', text: piece.text })
        continue
      }
      const { action: tokens, line } = piece
      const [first] = tokens
      const word = first?.kind === 'word' ? first.text : ''
      const rest = (): Pipeline => pipelineOf(tokens.slice(1), line)
      switch (word) {
        case 'end':
        case 'else':
          if (!nested) throw new TemplateError(`line ${line}: unexpected {{${word}}}`)
          return { nodes, end: tokens }
        case 'if':
        case 'with':
        case 'range':
          nodes.push(branch(word, rest(), depth, line))
          break
        case 'define':
          into.set(nameOf(tokens[1], line), closed(depth, line))
          break
        case 'block': {
          const name = nameOf(tokens[1], line)
          const pipe = pipelineOf(tokens.slice(2), line)
          const inside = closed(depth, line)
          if (!into.has(name)) into.set(name, inside)
          nodes.push({ is: 'template', name, pipe })
          break
        }
        case 'template': {
          const given = tokens.slice(2)
          const pipe = given.length > 0 ? pipelineOf(given, line) : undefined
          nodes.push({ is: 'template', name: nameOf(tokens[1], line), pipe })
          break
        }
        case 'break':
        case 'continue':
          nodes.push({ is: word })
          break
        default:
          nodes.push({ is: 'output', pipe: pipelineOf(tokens, line) })
      }
    }
    if (nested) throw new TemplateError('unexpected end: an {{end}} is missing')
    return { nodes, end: [] }
  }

  function closed(depth: number, line: number): Node[] {
    const { nodes, end } = list(depth + 1, true)
    if (end[0]?.text !== 'end') throw new TemplateError(`line ${line}: unexpected {{else}}`)
    return nodes
  }

  function branch(is: 'if' | 'with' | 'range', pipe: Pipeline, depth: number, line: number): Node {
    const { nodes: then, end } = list(depth + 1, true)
    if (end[0]?.text === 'end') return { is, pipe, then, otherwise: [] }
    const [, next] = end
    if (next === undefined) return { is, pipe, then, otherwise: closed(depth, line) }
    if (next.text !== 'if' && next.text !== 'with')
      throw new TemplateError(`line ${line}: unexpected ${next.text} after else`)
    return { is, pipe, then, otherwise: [branch(next.text, pipelineOf(end.slice(2), line), depth + 1, line)] }
  }
}

function nameOf(token: Token | undefined, line: number): string {
  if (token?.kind !== 'string') throw new TemplateError(`line ${line}: the name of a template is missing`)
  return token.text
}

function pipelineOf(tokens: readonly Token[], line: number): Pipeline {
  let at = 0
  const pipe = parsed(false, 0)
  if (at < tokens.length) throw new TemplateError(`line ${line}: unexpected ${tokens[at]?.text}`)
  return pipe

  function parsed(bracketed: boolean, depth: number): Pipeline {
    if (depth > DEEPEST) throw new TemplateError('brackets are nested too deeply')
    const { variables, declares } = assignment()
    const commands: Command[] = [[]]
    for (; at < tokens.length; at++) {
      const token = tokens[at] as Token
      if (token.kind === 'mark' && token.text === ')') {
        if (!bracketed) throw new TemplateError(`line ${line}: unexpected )`)
        break
      }
      if (token.kind === 'mark' && token.text === '|') {
        commands.push([])
        continue
      }
      commands[commands.length - 1]?.push(operand(token, depth))
    }
    if (commands.some((command) => command.length === 0))
      throw new TemplateError(`line ${line}: missing value for command`)
    return { commands, variables, declares }
  }

  function assignment(): { variables: string[]; declares: boolean } {
    const variables: string[] = []
    let ahead = at
    while (tokens[ahead]?.kind === 'variable') {
      variables.push(tokens[ahead]?.text ?? '')
      const { text } = tokens[++ahead] ?? { text: '' }
      if (text === ',') ahead++
      else if (text === ':=' || text === '=') {
        at = ahead + 1
        return { variables, declares: text === ':=' }
      } else break
    }
    return { variables: [], declares: false }
  }

  function operand(token: Token, depth: number): Expression {
    switch (token.kind) {
      case 'string':
        return { is: 'literal', value: token.text }
      case 'number':
        return { is: 'literal', value: Number(token.text.replaceAll('_', '')) }
      case 'field':
        if (token.text === '.') return { is: 'dot' }
        return { is: 'fields', of: { is: 'dot' }, names: token.text.slice(1).split('.') }
      case 'variable': {
        const [name = '$', ...names] = token.text.split('.')
        const variable: Expression = { is: 'variable', name }
        return names.length === 0 ? variable : { is: 'fields', of: variable, names }
      }
      case 'word':
        if (token.text === 'true' || token.text === 'false')
          return { is: 'literal', value: token.text === 'true' }
        if (token.text === 'nil') return { is: 'literal', value: undefined }
        return { is: 'call', name: token.text }
      case 'mark': {
        if (token.text !== '(') throw new TemplateError(`line ${line}: unexpected ${token.text}`)
        at++
        const inner: Expression = { is: 'pipe', pipe: parsed(true, depth + 1) }
        const next = tokens[at + 1]
        if (next?.kind !== 'field' || !next.text.startsWith(')')) return inner
        at++
        return { is: 'fields', of: inner, names: next.text.slice(2).split('.') }
      }
    }
  }
}

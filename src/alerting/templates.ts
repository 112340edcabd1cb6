/**
 * Checks the templates of alerts: Go templates with the variables and functions of Prometheus.
 *
 * Read here is what a mistake usually is about: where actions begin and end, what they call, which variables they use,
 * and whether their blocks are closed. A ruler refuses a whole file for one of these.
 */

const BUILT_IN =
  'and or not len index slice print printf println html js urlquery call eq ne lt le gt ge true false nil'
const OF_PROMETHEUS =
  'query first label value sortByLabel strvalue args reReplaceAll safeHtml match title toUpper toLower graphLink ' +
  'tableLink humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp pathPrefix externalURL ' +
  'parseDuration stripPort stripDomain toTime'
const FUNCTIONS: ReadonlySet<string> = new Set(`${BUILT_IN} ${OF_PROMETHEUS}`.split(' '))
const VARIABLES: ReadonlySet<string> = new Set(['$', '$labels', '$externalLabels', '$externalURL', '$value'])
const OPENING: ReadonlySet<string> = new Set(['if', 'range', 'with', 'define', 'block'])
const OTHER_WORDS: ReadonlySet<string> = new Set(['else', 'end', 'template', 'break', 'continue'])

/** `.field`, `$variable`, word, number, string, punctuation; spaces are skipped. */
const TOKEN =
  /\s+|(\.[a-zA-Z_]\w*)|(\$\w*)|([a-zA-Z_]\w*)|([+-]?\d[\w.+-]*)|("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|(:=|[=|(),.-])/y

export interface TemplateRules {
  /** Functions that this template may not call, with the reason. */
  refused?: Readonly<Record<string, string>>
}

/** @returns what is wrong; undefined when nothing is */
export function templateFault(text: string, { refused = {} }: TemplateRules = {}): string | undefined {
  const declared = new Set(VARIABLES)
  let open = 0
  for (let at = text.indexOf('{{'); at >= 0; at = text.indexOf('{{', at)) {
    const action = readAction(text, at + 2)
    if (typeof action === 'string') return action
    at = action.end
    const [first] = action.tokens
    if (first !== undefined && OPENING.has(first)) open += 1
    if (first === 'end' && --open < 0) return 'unexpected {{end}}'
    if (first === 'else' && open === 0) return 'unexpected {{else}}'
    const fault = actionFault(action.tokens, declared, refused)
    if (fault !== undefined) return fault
  }
  return open > 0 ? 'unexpected EOF' : undefined
}

function actionFault(
  tokens: readonly string[],
  declared: Set<string>,
  refused: Readonly<Record<string, string>>,
): string | undefined {
  for (const [position, token] of tokens.entries()) {
    if (token.startsWith('$')) {
      const declares =
        tokens.slice(position + 1).find((next) => next !== ',' && !next.startsWith('$')) === ':='
      if (declares) declared.add(token)
      else if (!declared.has(token)) return `undefined variable "${token}"`
    } else if (/^[a-zA-Z_]/.test(token) && !isKeyword(token, position, tokens)) {
      const reason = Object.hasOwn(refused, token) ? refused[token] : undefined
      if (reason !== undefined) return `function "${token}" is not allowed: ${reason}`
      if (!FUNCTIONS.has(token)) return `function "${token}" not defined`
    }
  }
  return tokens.length === 0 ? 'missing value for command' : undefined
}

/** `else if` and `else with` have two. */
function isKeyword(token: string, position: number, tokens: readonly string[]): boolean {
  if (position === 0) return OPENING.has(token) || OTHER_WORDS.has(token)
  return position === 1 && tokens[0] === 'else' && (token === 'if' || token === 'with')
}

/** @returns the words between the braces, or what is wrong with them */
function readAction(text: string, from: number): { tokens: string[]; end: number } | string {
  let at = /^-\s/.test(text.slice(from, from + 2)) ? from + 1 : from
  const comment = /^\s*\/\*[^]*?\*\/(?:\s-)?\}\}/.exec(text.slice(at))
  if (comment) return { tokens: ['nil'], end: at + comment[0].length }
  const tokens: string[] = []
  for (;;) {
    const end = /^(?:\s+-)?\s*\}\}/.exec(text.slice(at, at + 200))
    if (end) return { tokens, end: at + end[0].length }
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined)
      return at >= text.length
        ? 'unclosed action'
        : `unexpected ${JSON.stringify([...text.slice(at)][0])} in action`
    if (token.trim() !== '') tokens.push(token)
    at += token.length
  }
}

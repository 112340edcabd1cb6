/** Shell completion scripts, made from the command tree itself so that they cannot fall behind it. */
import { type Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

interface Words {
  /** `up`, `config check`; "" for the program itself. */
  path: string
  commands: { name: string; description: string }[]
  options: { flag: string; description: string; takesValue: boolean; file: boolean }[]
}

function describe(command: Command, path: string[] = []): Words[] {
  const own: Words = {
    path: path.join(' '),
    commands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: command.options.flatMap(({ long, description, required, optional, flags }) =>
      long
        ? [{ flag: long, description, takesValue: required || optional, file: /FILE|DIR/.test(flags) }]
        : [],
    ),
  }
  return [own, ...command.commands.flatMap((child) => describe(child, [...path, child.name()]))]
}

export function completionScript(program: Command, shell: Shell): string {
  const tree = describe(program)
  switch (shell) {
    case 'bash':
      return bash(tree)
    case 'zsh':
      return `#compdef orrery\nautoload -U +X bashcompinit && bashcompinit\n${bash(tree)}`
    case 'fish':
      return fish(tree)
  }
}

function bash(tree: readonly Words[]): string {
  const cases = tree.map(({ path, commands, options }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag), '--help'].join(
      ' ',
    )
    return `    '${path}') words='${words}' ;;`
  })
  const files = [
    ...new Set(tree.flatMap(({ options }) => options.filter(({ file }) => file).map(({ flag }) => flag))),
  ]
  return `_orrery() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' word
  case "$previous" in
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'trace debug info warn error' -- "$current")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " ${tree.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in
           *" \${path:+\${path// /_}_}$word "*) path="\${path:+$path }$word" ;;
         esac ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _orrery orrery
`
}

function fish(tree: readonly Words[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
  const lines = tree.flatMap(({ path, commands, options }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c orrery -f -n ${quote(condition)} -a ${name} -d ${quote(description)}`,
      ),
      ...options.map(
        ({ flag, description, takesValue, file }) =>
          `complete -c orrery ${file ? '' : '-f '}-n ${quote(condition)} -l ${flag.slice(2)}${takesValue ? ' -r' : ''} -d ${quote(description)}`,
      ),
    ]
  })
  return `${lines.join('\n')}\n`
}

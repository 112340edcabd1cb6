/** Reads the files of `--stages`, and says of all that is wrong with them where it is. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ErrorObject } from 'ajv'
import { parseDocument } from 'yaml'
import { type ImageRule, type Rules, rulesWith, type Stage } from './index.js'
import { RULES_SCHEMA } from './schema.js'

export class RulesError extends Error {
  override readonly name = 'RulesError'

  constructor(
    readonly directory: string,
    readonly problems: readonly string[],
  ) {
    super([`The stages in ${directory} cannot be used:`, ...problems.map((each) => `  ${each}`)].join('\n'))
  }
}

interface RulesFile {
  stages?: Stage[]
  images?: ImageRule[]
}

/** All `.yaml` and `.yml` files of a directory, in the order of their names. @throws RulesError */
export function readRules(directory: string): Rules {
  const problems: string[] = []
  const stages = new Map<string, Stage>()
  const images: ImageRule[] = []
  const files = filesIn(directory)
  if (files.length === 0) throw new RulesError(directory, ['there is no .yaml file in it'])
  const check = new Ajv({ allErrors: true, strict: false }).compile(RULES_SCHEMA)
  for (const file of files) {
    const document = parseDocument(readFileSync(join(directory, file), 'utf8'))
    const [broken] = document.errors
    if (broken) {
      problems.push(`${file}: ${broken.message.split('\n')[0] ?? ''}`)
      continue
    }
    const content = document.toJS() as RulesFile
    if (!check(content)) {
      problems.push(...(check.errors ?? []).filter(isCause).map((error) => `${file}: ${said(error)}`))
      continue
    }
    for (const stage of content.stages ?? []) {
      if (stages.has(stage.name)) problems.push(`${file}: there are two stages named ${stage.name}`)
      stages.set(stage.name, stage)
    }
    images.push(...(content.images ?? []))
  }
  if (problems.length > 0) throw new RulesError(directory, problems)
  return rulesWith({ stages: [...stages.values()], images })
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new RulesError(directory, [isMissing ? 'there is no such directory' : (error as Error).message])
  }
}

/** That a branch does not hold is no news beside why. */
const isCause = ({ keyword }: ErrorObject): boolean => keyword !== 'if'

function said({ instancePath, keyword, params, message = 'is invalid' }: ErrorObject): string {
  const path = instancePath
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replace(/^\./, '')
  const { allowedValues, additionalProperty } = params as {
    allowedValues?: unknown[]
    additionalProperty?: string
  }
  const what =
    keyword === 'additionalProperties'
      ? `has a field that is not known: ${additionalProperty ?? ''}`
      : keyword === 'enum'
        ? `must be one of ${(allowedValues ?? []).join(', ')}`
        : message
  return path === '' ? what : `${path} ${what}`
}

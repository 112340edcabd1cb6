/** `orrery config check|print`. */
import { stringify } from 'yaml'
import { schema } from '../configuration/options.js'
import { loadForCommand, type ConfigurationFlags } from './options.js'

/** Prints what is odd; throws ConfigurationError for what is wrong. */
export function checkConfiguration(flags: ConfigurationFlags): string {
  const { file, warnings, variables } = loadForCommand(flags)
  return [
    `${file ?? 'No configuration file; the defaults'}: good`,
    ...warnings.map(({ path, message }) => `warning: ${path}: ${message}`),
    ...variables.map((name) => `set by the environment: ${name}`),
  ].join('\n')
}

/** The configuration in effect, as YAML; secrets are masked. */
export function printConfiguration(flags: ConfigurationFlags): string {
  return stringify(schema.print(loadForCommand(flags).options)).trimEnd()
}

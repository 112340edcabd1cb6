/** `orrery explain`: asks the running server what it would do with a request. */
import { type Explained } from '../serving/explain.js'
import { askServer, type ServerFlags } from './askserver.js'
import { explanationText } from './explanation.js'

export interface ExplainFlags extends ServerFlags {
  user?: string
  output: 'text' | 'json'
}

export async function explain(method: string, path: string, flags: ExplainFlags): Promise<string> {
  const question = { method: method.toUpperCase(), path, user: flags.user ?? 'system:anonymous' }
  const answer = await askServer(flags, 'POST', '/kapis/explain.orrery.io/v1alpha1/explanations', question)
  const explained = answer as Explained
  return flags.output === 'json' ? JSON.stringify(explained, undefined, 2) : explanationText(explained)
}

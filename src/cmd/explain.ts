/**
 * `orrery explain`: asks the running server what it would do with a request.
 *
 * On the machine of the server no login is needed: whoever can read the data directory holds the key that signs
 * tokens anyway, so a token of the administrator is made on the spot.
 */
import { type Explained } from '../serving/explain.js'
import { type DataDirectory, dataDirectory, localSecrets, runningServer } from './datadir.js'
import { loadForCommand } from './options.js'
import { UsageError } from './failures.js'
import { administratorToken } from './localtoken.js'
import { explanationText } from './explanation.js'

export interface ExplainFlags {
  user?: string
  output: 'text' | 'json'
  dataDir: string
  server?: string
  token?: string
  config?: string
}

export async function explain(method: string, path: string, flags: ExplainFlags): Promise<string> {
  const { url, token } = whom(flags)
  const question = {
    method: method.toUpperCase(),
    path,
    user: flags.user ?? 'system:anonymous',
  }
  let response: Response
  try {
    response = await fetch(`${url}/kapis/explain.orrery.io/v1alpha1/explanations`, {
      method: 'POST',
      body: JSON.stringify(question),
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'content-type': 'application/json',
      },
    })
  } catch (error) {
    throw new UsageError(`No server answers at ${url}: ${(error as Error).message}`)
  }
  const text = await response.text()
  if (!response.ok) throw new UsageError(refusal(response.status, text))
  const explained = JSON.parse(text) as Explained
  return flags.output === 'json' ? JSON.stringify(explained, undefined, 2) : explanationText(explained)
}

function whom({ server, token, dataDir, config }: ExplainFlags): { url: string; token: string } {
  if (server !== undefined) {
    if (token === undefined)
      throw new UsageError('--server needs --token, the access token of a platform administrator.')
    return { url: server.replace(/\/$/, ''), token }
  }
  const data = dataDirectory(dataDir)
  const running = runningServer(data)
  if (!running) {
    throw new UsageError(
      `No server runs on ${data.path}. Start one with: orrery up --data-dir ${dataDir}\nOr name one: --server URL --token TOKEN`,
    )
  }
  return { url: running.url, token: token ?? administratorToken(signingKey(config, data)) }
}

/** The key the server was started with: that of the configuration, or the one kept beside the data. */
function signingKey(config: string | undefined, data: DataDirectory): string {
  const { options } = loadForCommand(config === undefined ? {} : { config })
  return options.authentication.jwtSecret || localSecrets(data).jwtSecret
}

function refusal(status: number, text: string): string {
  const hint =
    status === 401 ? '\nWas the server started with another configuration? Name it with --config FILE.' : ''
  return `The server refused (${status}): ${text.trim()}${hint}`
}

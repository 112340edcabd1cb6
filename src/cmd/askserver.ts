/**
 * Questions of the command line to a running server.
 *
 * On the machine of the server no login is needed: whoever can read the data directory holds the key that signs
 * tokens anyway, so a token of the administrator is made on the spot.
 */
import { type DataDirectory, dataDirectory, localSecrets, runningServer } from './datadir.js'
import { loadForCommand } from './options.js'
import { UsageError } from './failures.js'
import { administratorToken } from './localtoken.js'

export interface ServerFlags {
  dataDir: string
  server?: string
  token?: string
  config?: string
}

/** @throws UsageError when there is no server, or it refuses */
export async function askServer(
  flags: ServerFlags,
  method: 'GET' | 'POST',
  path: string,
  question?: unknown,
): Promise<unknown> {
  const { url, token } = whom(flags)
  let response: Response
  try {
    response = await fetch(url + path, {
      method,
      ...(question !== undefined && { body: JSON.stringify(question) }),
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(question !== undefined && { 'content-type': 'application/json' }),
      },
    })
  } catch (error) {
    throw new UsageError(`No server answers at ${url}: ${(error as Error).message}`)
  }
  const text = await response.text()
  if (!response.ok) throw new UsageError(refusal(response.status, text))
  return JSON.parse(text) as unknown
}

function whom({ server, token, dataDir, config }: ServerFlags): { url: string; token: string } {
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

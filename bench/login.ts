/**
 * What a flood of logins takes from everybody else: the rate of a list page, alone and while thirty-two clients try
 * wrong passwords as fast as they are answered. The platform runs in another process.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startAllInOne } from '../src/cmd/up.js'
import { SILENT } from '../src/serving/log.js'
import { haveWrk, load } from './_load.js'
import { type Report, row } from './_report.js'

const GUESSERS = 32
const SECONDS = 5

export async function run(report: Report): Promise<void> {
  if (!haveWrk()) return report.skip('login', 'wrk is not installed')
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  try {
    const base = await new Promise<string>((resolve, reject) => {
      child.once('message', (url) => resolve(url as string))
      child.once('exit', () => reject(new Error('the platform did not start')))
    })
    const { access_token: token } = (await (await login(base, 'admin', 'P@88w0rd')).json()) as {
      access_token: string
    }
    const readers = { url: `${base}/kapis/resources.kubesphere.io/v1alpha3/namespaces?limit=5`, token }
    await load(readers, 1)
    const alone = await load(readers, SECONDS)

    let flooding = true
    const answers: Record<number, number> = {}
    const guesses = Array.from({ length: GUESSERS }, async (_, i) => {
      while (flooding) {
        const answer = await login(base, `user${i}`, 'wrong')
        await answer.arrayBuffer()
        answers[answer.status] = (answers[answer.status] ?? 0) + 1
      }
    })
    const during = await load(readers, SECONDS)
    flooding = false
    await Promise.all(guesses)

    console.log('logins answered:', answers)
    report.add(
      row('login/readers', 'pages read beside a flood of logins, of those read alone', {
        value: (during.perSecond / alone.perSecond) * 100,
        unit: '%',
        atLeast: 70,
      }),
    )
  } finally {
    child.kill()
  }
}

function login(base: string, username: string, password: string): Promise<Response> {
  const client = { client_id: 'kubesphere', client_secret: 'kubesphere' }
  const body = new URLSearchParams({ grant_type: 'password', username, password, ...client })
  return fetch(`${base}/oauth/token`, { method: 'POST', body })
}

if (process.argv[2] === 'serve') {
  const flags = { dataDir: '.orrery', memory: true, port: 0, bindAddress: '127.0.0.1', kubePort: 0, nodes: 0 }
  const { url } = await startAllInOne({ ...flags, logLevel: 'error' }, SILENT)
  process.send?.(url)
}

/**
 * What a flood of logins takes from everybody else: the rate of a list page, alone and while thirty-two clients try
 * wrong passwords as fast as they are answered. The platform runs in another process.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startAllInOne } from '../src/cmd/up.js'
import { SILENT } from '../src/serving/log.js'
import { type Report, row } from './_report.js'

const READERS = 8
const GUESSERS = 32
const ROUND_MS = 3_000

export async function run(report: Report): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: process.execArgv })
  try {
    const base = await new Promise<string>((resolve, reject) => {
      child.once('message', (url) => resolve(url as string))
      child.once('exit', () => reject(new Error('the platform did not start')))
    })
    const { access_token: token } = (await (await login(base, 'admin', 'P@88w0rd')).json()) as {
      access_token: string
    }
    const read = async (): Promise<void> => {
      const headers = { authorization: `Bearer ${token}` }
      const url = `${base}/kapis/resources.kubesphere.io/v1alpha3/namespaces?limit=5`
      await (await fetch(url, { headers })).arrayBuffer()
    }
    await rate(read, 1_000)
    const alone = await rate(read, ROUND_MS)

    let flooding = true
    const answers: Record<number, number> = {}
    const guesses = Array.from({ length: GUESSERS }, async (_, i) => {
      while (flooding) {
        const answer = await login(base, `user${i}`, 'wrong')
        await answer.arrayBuffer()
        answers[answer.status] = (answers[answer.status] ?? 0) + 1
      }
    })
    const during = await rate(read, ROUND_MS)
    flooding = false
    await Promise.all(guesses)

    console.log('logins answered:', answers)
    report.add(
      row('login/readers', 'pages read beside a flood of logins, of those read alone', {
        value: (during / alone) * 100,
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

async function rate(request: () => Promise<void>, ms: number): Promise<number> {
  const until = performance.now() + ms
  let answered = 0
  const reader = async (): Promise<void> => {
    for (; performance.now() < until; answered++) await request()
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return Math.round((answered / ms) * 1_000)
}

if (process.argv[2] === 'serve') {
  const flags = { dataDir: '.orrery', memory: true, port: 0, bindAddress: '127.0.0.1', kubePort: 0, nodes: 0 }
  const { url } = await startAllInOne({ ...flags, logLevel: 'error' }, SILENT)
  process.send?.(url)
}

/**
 * The live updates of the web console: each watch that it opened over WebSocket is opened again on the restored state,
 * and must be answered with the same status and begin with the same objects, in the same form.
 */
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type Product, startProduct } from '../fixtures/product.js'
import { goldenPath, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

interface Recorded {
  path: string
  user: string | null
  status: number
  received?: { opcode: number; json?: WatchEvent; text?: string }[]
}

interface WatchEvent {
  type: string
  object: { kind?: string; metadata?: { name?: string; namespace?: string } }
}

const SESSIONS = ['console-admin', 'console-member', 'console-plain-user'] as const

function recorded(): Recorded[] {
  const all = SESSIONS.flatMap(
    (name) => readGolden<{ websockets?: Recorded[] }>(`console/${name}.json`).websockets ?? [],
  )
  const seen = new Set<string>()
  return all.filter(({ path, user, status }) => {
    const key = JSON.stringify([path, user, status])
    return !seen.has(key) && seen.add(key) !== undefined
  })
}

const nameOf = ({ type, object }: WatchEvent): string =>
  [type, object.kind, object.metadata?.namespace ?? '', object.metadata?.name].join(' ')

const eventsOf = ({ received = [] }: Recorded): WatchEvent[] =>
  received.flatMap(({ json, text }) => {
    const event = json ?? (text === undefined ? undefined : (JSON.parse(text) as WatchEvent))
    return event?.type === 'ADDED' ? [event] : []
  })

describe.skipIf(!HAVE_GOLDEN)(
  HAVE_GOLDEN ? 'live updates of the web console' : `live updates of the web console ${WITHOUT_GOLDEN}`,
  () => {
    let product: Product
    const tokens = new Map<string, string>()

    beforeAll(async () => {
      product = await startProduct({
        state: goldenPath('state.json'),
        crds: goldenPath('crds'),
        config: goldenPath('kubesphere.yaml'),
        controllers: ['none'],
      })
      for (const user of ['admin', 'bob', 'dave']) {
        const { json } = await product.login(user, PASSWORD)
        tokens.set(user, (json as { access_token: string }).access_token)
      }
    })

    afterAll(() => product.close())

    /** Opens the watch and reads until it has been silent. */
    function watch(path: string, user: string | null): Promise<{ status: number; events: WatchEvent[] }> {
      const token = user === null ? undefined : tokens.get(user)
      const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) }
      const socket = new WebSocket(product.url.replace('http', 'ws') + path, { headers })
      return new Promise((resolve, reject) => {
        const events: WatchEvent[] = []
        let quiet: NodeJS.Timeout | undefined
        const wait = (): void => {
          clearTimeout(quiet)
          quiet = setTimeout(() => {
            resolve({ status: 101, events })
            socket.terminate()
          }, 300)
        }
        socket.on('unexpected-response', (request, response) => {
          resolve({ status: response.statusCode ?? 0, events })
          request.destroy()
        })
        socket.on('open', wait)
        socket.on('message', (data: Buffer) => {
          events.push(JSON.parse(data.toString()) as WatchEvent)
          wait()
        })
        socket.on('error', reject)
      })
    }

    const cases = HAVE_GOLDEN ? recorded() : []
    it.each(cases.map((one) => [one.user ?? 'nobody', one.path, one] as const))(
      'as %s: %s',
      async (_user, path, one) => {
        const { status, events } = await watch(path, one.user)

        // Definitions of dashboards come with the platform here; where the recording was made nobody had installed them.
        expect(status).toBe(/dashboards$/.test(path) ? 101 : one.status)
        const names = events.map(nameOf)
        // The recording keeps the first few frames, in an order that means nothing.
        for (const event of eventsOf(one)) expect(names).toContain(nameOf(event))
        if (path.endsWith('/users')) expect(JSON.stringify(events)).not.toMatch(/"password"|\$2[aby]\$/)
      },
    )
  },
)

/**
 * What would happen to a request: the filters of the chain, asked in order instead of run.
 *
 * Nothing is answered, forwarded or changed. Administrators of the platform ask over HTTP; scope Global is
 * given to the group by the request-info filter, so roles of clusters and workspaces do not count for it.
 */
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { Type } from '../apimachinery/schema/type.js'
import { badRequest, StatusError } from '../apimachinery/errors/index.js'
import { ANONYMOUS, type UserInfo } from '../apimachinery/meta/types.js'
import { type Exchange, type Filter, type Step } from './exchange.js'
import { EXPLAIN_GROUP, NO_INFO } from './requestinfo.js'
import { type ApiGroup, route } from './route.js'

export interface Question {
  method: string
  /** With query. */
  path: string
  /** Names are lower case. */
  headers?: Record<string, string>
  /** Who asks; the credentials in the headers are then not looked at. */
  user?: UserInfo
}

export interface ExplainedStep extends Step {
  filter: string
}

export interface Explained {
  method: string
  path: string
  steps: ExplainedStep[]
}

export async function explain(filters: readonly Filter[], question: Question): Promise<Explained> {
  const { method, path, user } = question
  const exchange = imagined(question)
  const steps: ExplainedStep[] = []
  for (const filter of filters) {
    if (!filter.explain) continue
    const step =
      user && filter.name === 'authentication' ? assume(exchange, user) : await ask(filter, exchange)
    steps.push({ filter: filter.name, ...step })
    if (step.outcome === 'answers') break
  }
  return { method, path, steps }
}

function assume(exchange: Exchange, user: UserInfo): Step {
  exchange.user = user
  return { outcome: 'continues', summary: `user ${user.name}, as asked for`, detail: user }
}

async function ask(filter: Filter, exchange: Exchange): Promise<Step> {
  try {
    return (await filter.explain?.(exchange)) as Step
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { outcome: 'answers', summary: `${error.code}: ${error.message}` }
  }
}

/** An exchange of which no filter may use more than what a request says: there is no connection behind it. */
function imagined({ method, path, headers = {} }: Question): Exchange {
  const request = { method, url: path, headers: { ...headers }, socket: {} }
  return {
    id: '00000000-0000-0000-0000-000000000000',
    request: request as unknown as IncomingMessage,
    response: {} as ServerResponse,
    signal: AbortSignal.timeout(10_000),
    startedAt: performance.now(),
    path,
    search: '',
    info: NO_INFO,
    user: ANONYMOUS,
    trace: [],
    longRunning: false,
    answerIsCopied: false,
    allowed: false,
    abort: () => undefined,
    isAborted: false,
    onAbort: () => () => undefined,
    whenOver: () => undefined,
  }
}

const Explanation = Type.Object({
  method: Type.String({ pattern: '^[A-Z]+$', description: 'HTTP method.' }),
  path: Type.String({ pattern: '^/', description: 'Path with query.' }),
  user: Type.Optional(Type.String({ minLength: 1, description: 'Name of the caller; default: oneself.' })),
})

export interface ExplainGroupOptions {
  filters: () => readonly Filter[]
  /** The user of that name with all groups, as a login would give; undefined when there is none. */
  identify?: ((name: string) => Promise<UserInfo | undefined> | UserInfo | undefined) | undefined
}

export function explainGroup({ filters, identify }: ExplainGroupOptions): ApiGroup {
  return {
    root: `/kapis/${EXPLAIN_GROUP}/v1alpha1`,
    title: 'Explain',
    errors: 'status',
    routes: [
      route({
        method: 'POST',
        path: '/explanations',
        summary: 'Tell what would happen to a request, filter by filter.',
        access: 'authorized',
        body: Explanation,
        async handle({ body, user }) {
          const { method, path } = body
          if (body.user === undefined) return explain(filters(), { method, path, user })
          const asked = body.user === ANONYMOUS.name ? ANONYMOUS : await identify?.(body.user)
          if (!asked) throw badRequest(`there is no user "${body.user}"`)
          return explain(filters(), { method, path, user: asked })
        },
      }),
    ],
  }
}

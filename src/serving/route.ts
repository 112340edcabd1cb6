/**
 * A route of an API group, declared once: the same declaration routes, validates, documents and tells who may.
 */
import { type Static, type TSchema } from '../apimachinery/schema/type.js'
import { type UserInfo } from '../apimachinery/meta/types.js'
import { type Exchange } from './exchange.js'
import { type RequestInfo } from './requestinfo.types.js'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * The form of an error body. `text`: the message, HTML-escaped, plus newline. `message`: `{"message": ...}`.
 * `status`: Kubernetes Status. `oauth`: RFC 6749. Which group uses which: core.md §6.4.
 */
export type ErrorForm = 'text' | 'message' | 'status' | 'oauth'

/** `'/namespaces/{namespace}/{resources}'` → `{ namespace: string; resources: string }` */
export type PathParams<Path extends string> = string extends Path
  ? Record<string, string>
  : Path extends `${string}{${infer Name}}${infer Rest}`
    ? { [K in Name extends `${infer Bare}:*` ? Bare : Name]: string } & PathParams<Rest>
    : unknown

/** Whoever waits for the answer. */
export interface Client {
  /** Aborted when it has left. */
  readonly signal: AbortSignal
}

export interface RouteContext<Params = Record<string, string>, Body = unknown> {
  params: Params
  /** Decoded query. Repeated keys are all there. */
  query: URLSearchParams
  /** Parsed and validated where the route has a body schema; raw bytes where it consumes anything else. */
  body: Body
  user: UserInfo
  info: RequestInfo
  headers: Exchange['request']['headers']
  signal: AbortSignal
  /** For what seldom waits: its signal is only made when it is asked for. */
  client: Client
  /** For streaming and upgrades only. */
  exchange: Exchange
}

/** A complete answer, for anything but "200 with this value as JSON". */
export class Reply {
  constructor(
    readonly status: number,
    readonly headers: Record<string, string | string[]> = {},
    readonly body: string | Uint8Array | readonly Uint8Array[] = '',
  ) {}
}

/** The handler has answered by itself (streams, upgrades). */
export const ANSWERED = Symbol('answered')

export interface RouteOptions<Path extends string, Body extends TSchema> {
  method: HttpMethod
  /** Below the root of the group; parameters in braces, `{path:*}` takes the rest. */
  path: Path
  summary: string
  /**
   * Who may call it. `authorized`: the authorizer decides on the request's attributes (the rule for all but a
   * few). `public`: anybody. `authenticated`: whoever has shown credentials. The latter two must agree with the
   * path rules of the authorization filter, which is checked when the handler is built.
   */
  access: 'authorized' | 'public' | 'authenticated'
  /** Query parameters, an object schema; for documentation and validation of what the handler requires. */
  query?: TSchema
  body?: Body
  /**
   * Media types of the body, refused with 415 otherwise. Default: JSON (on PATCH also the patch types) when
   * there is a body schema, refused with 400 otherwise, as the original does.
   */
  consumes?: readonly string[]
  /** Media types of the answer; default `application/json`. */
  produces?: readonly string[]
  /** Schema of the 200 answer, for documentation. */
  returns?: TSchema
  /** Default: that of the group. */
  errors?: ErrorForm
  /** Accepts WebSocket or SPDY upgrades; the handler then answers on `exchange.upgrade.socket`. */
  upgrades?: boolean
  /** Largest body; default is the server's limit. */
  bodyLimitBytes?: number
  /** Returns the JSON value to answer with 200, undefined for an empty 200, a Reply, or ANSWERED. Throws StatusError. */
  handle(context: RouteContext<PathParams<Path>, Static<Body>>): unknown
}

/** A route with its types erased, as the router keeps it. */
export type Route = Omit<RouteOptions<string, TSchema>, 'handle'> & {
  handle(context: RouteContext<never, never>): unknown
}

export function route<const Path extends string, Body extends TSchema = TSchema>(
  options: RouteOptions<Path, Body>,
): Route {
  return options
}

/** What an API group hands to the server. `root` is the literal prefix, `/kapis/iam.kubesphere.io/v1alpha2`. */
export interface ApiGroup {
  root: string
  /** Shown in the documentation. */
  title: string
  errors: ErrorForm
  routes: readonly Route[]
}

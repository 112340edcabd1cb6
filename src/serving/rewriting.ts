/** An answer of the Kubernetes API that is changed on its way to the client. */

/** Rewrites one body that goes by. A body that cannot be read is not let through. */
export interface Rewriter {
  /** @returns what can be sent on already */
  push(chunk: Buffer): Buffer | undefined
  /** @throws Error when the body is not what it should be */
  end(): Buffer | undefined
}

export interface Rewriting {
  /** The form to ask for, whatever the client accepts. */
  accept: string
  /** Of what comes out, when it is another than what came in. */
  contentType?: string
  /** Not called for refusals, which go through as they are. */
  begin(): Rewriter
}

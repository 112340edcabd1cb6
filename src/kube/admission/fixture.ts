/** What tests of admission have in common: calls as JSON, signing requests, webhooks on a port. */
import { createServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import { type UserInfo } from '../../apimachinery/meta/types.js'
import { type AdmissionReviewRequest } from '../../apimachinery/admission/index.js'
import { newKey, servingCertificate, signingRequest } from '../../certificates/index.js'
import { send } from '../../client/transport.js'
import { type Kube } from '../index.js'
import { type Pki, validity } from '../pki/index.js'

// Answers have many shapes; what a test expects of them is the check.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any

export interface Called {
  status: number
  json: Json
  headers: Record<string, unknown>
}

/** A PATCH is a merge patch. */
export async function call(
  kube: Kube,
  method: string,
  path: string,
  body?: unknown,
  user: UserInfo = kube.adminUser,
): Promise<Called> {
  const answer = await send(kube.transport, {
    method,
    path,
    user,
    headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
  })
  const { status, headers, body: bytes } = answer
  const json: unknown = JSON.parse(bytes.toString())
  return { status, json, headers }
}

/** A CertificateSigningRequest of the client signer. */
export function clientRequest(name: string, commonName: string, organizations: readonly string[]): object {
  return {
    metadata: { name },
    spec: {
      request: Buffer.from(signingRequest(newKey(), { commonName, organizations })).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  }
}

export interface WebhookServer {
  url: string
  port: number
  caBundle: string
  asked: (AdmissionReviewRequest & { requestKind?: { version: string } })[]
  close(): void
}

/** @param answer the response without its uid; undefined leaves the question open */
export async function webhookServer(
  { authority }: Pki,
  answer: (request: AdmissionReviewRequest) => object | undefined,
): Promise<WebhookServer> {
  const names = ['127.0.0.1', 'hook.default.svc']
  const pair = servingCertificate(authority, 'hook', names, validity(Date.now(), 1))
  const asked: WebhookServer['asked'] = []
  const server = createServer(pair, (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const review = JSON.parse(text) as { kind: string; apiVersion: string; request: AdmissionReviewRequest }
      asked.push(review.request)
      const given = answer(review.request)
      if (!given) return
      const { kind, apiVersion } = review
      response.setHeader('content-type', 'application/json')
      const body = { kind, apiVersion, response: { uid: review.request.uid, ...given } }
      response.end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}/hook`,
    port,
    caBundle: Buffer.from(authority.cert).toString('base64'),
    asked,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The answer of a mutating webhook. */
export function patching(...operations: object[]): object {
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64')
  return { allowed: true, patchType: 'JSONPatch', patch }
}

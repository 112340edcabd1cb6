/** Webhooks: the data as JSON, with the keys of both releases, or what a template makes of it. */
import { type Job, hasCredential, object, templateOf, text } from './channel.js'

export async function sendWebhook(job: Job): Promise<void> {
  const { spec, renderer, data, http, credential, timeoutMs, isTenant, signal } = job
  const template = templateOf(job, 'webhook.default.message')
  const config = object(spec['httpConfig'])
  const basic = object(config['basicAuth'])
  // The same for every attempt, for those who want to be told once even when their answer was lost.
  const headers: Record<string, string> = { 'idempotency-key': job.progress.key }
  if (hasCredential(config['bearerToken']))
    headers['authorization'] = `Bearer ${await credential(config['bearerToken'])}`
  else if (text(basic['username']) !== '') {
    const password = hasCredential(basic['password']) ? await credential(basic['password']) : ''
    headers['authorization'] =
      `Basic ${Buffer.from(`${text(basic['username'])}:${password}`).toString('base64')}`
  }
  const tls = object(config['tlsConfig'])
  const pair = object(tls['clientCertificate'])
  const statuses = new Set(data.alerts.map(({ status }) => status))
  const body =
    template === 'webhook.default.message'
      ? {
          ...data,
          receiver: data.alerts[0]?.labels['receiver'] ?? '',
          status: statuses.has('firing') ? 'firing' : (data.alerts[0]?.status ?? ''),
          externalURL: '',
          alerts: data.alerts.map((alert) => ({ ...alert, fingerprint: alert.id, generatorURL: '' })),
        }
      : renderer.render(template, data)
  const answer = await http.send({
    url: urlOf(spec),
    headers,
    body,
    ...(text(config['proxyUrl']) !== '' && { proxyUrl: text(config['proxyUrl']) }),
    tls: {
      ...(hasCredential(tls['rootCA']) && { ca: await credential(tls['rootCA']) }),
      ...(hasCredential(pair['cert']) && { cert: await credential(pair['cert']) }),
      ...(hasCredential(pair['key']) && { key: await credential(pair['key']) }),
      ...(text(tls['serverName']) !== '' && { serverName: text(tls['serverName']) }),
      insecureSkipVerify: tls['insecureSkipVerify'] === true,
    },
    timeoutMs,
    isTenant,
    signal,
  })
  if (answer.status < 200 || answer.status > 299)
    throw new Error(`${answer.status}, ${answer.text.slice(0, 500)}`)
}

function urlOf(spec: Job['spec']): string {
  if (text(spec['url']) !== '') return text(spec['url'])
  const { scheme, name, namespace, port, path } = object(spec['service'])
  const host = `${text(name)}.${text(namespace)}${typeof port === 'number' ? `:${port}` : ''}`
  return `${text(scheme) || 'http'}://${host}/${text(path).replace(/^\//, '')}`
}

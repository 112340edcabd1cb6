/** What `orrery up` says when it is ready. */
import { styleText } from './style.js'

export interface Summary {
  url: string
  kubeUrl: string | undefined
  kubeconfig: string | undefined
  dataDirectory: string | undefined
  login: { username: string; password: string | undefined }
  readyMs: number
}

export function summaryText({ url, kubeUrl, kubeconfig, dataDirectory, login, readyMs }: Summary): string {
  const rows: [string, string][] = [
    ['Platform API', url],
    ['API browser', `${url}/apidocs`],
    ...(kubeUrl === undefined ? [] : [['Kubernetes API', kubeUrl] as [string, string]]),
    [
      'Login',
      login.password === undefined
        ? `${login.username} (password as set before)`
        : `${login.username} / ${login.password}`,
    ],
    ...(kubeconfig === undefined ? [] : [['Kubeconfig', kubeconfig] as [string, string]]),
    ['Data', dataDirectory ?? 'in memory only'],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    '',
    styleText('bold', `Orrery is ready, ${readyMs} ms after the start.`),
    '',
    ...rows.map(([name, value]) => `  ${styleText('dim', name.padEnd(width))}  ${value}`),
    '',
    ...(kubeconfig === undefined ? [] : [`  kubectl --kubeconfig ${kubeconfig} get namespaces`]),
    '  Press Ctrl-C to stop.',
    '',
  ].join('\n')
}

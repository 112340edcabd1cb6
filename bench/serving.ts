/**
 * Requests to the product in front of a genuine Kubernetes API server, by size of the cluster, for an administrator
 * and an ordinary member; each beside one ConfigMap read straight from that API server (`direct`), and beside the
 * plainest reverse proxy in Go.
 *
 * Needs `wrk`, etcd and the API server that scripts/build-kubernetes.sh makes.
 */
import { bindingsOfMember, listsOf, MEMBER, namespaceName, SIZES, type Size } from './_objects.js'
import { haveWrk, load, type Measured, medianOf, paced, type Target } from './_load.js'
import { buildPacer, type Running, startGoProxy, startInFront, tokenOf, until } from './_processes.js'
import { type Report, row } from './_report.js'
import { type RealCluster, realClusterAvailable, startRealCluster } from '../test/cluster/realcluster.js'

const ROOT = '/kapis/resources.kubesphere.io/v1alpha3'
const PAGE = `${ROOT}/pods?limit=10`
const ANCHOR = `/api/v1/namespaces/${namespaceName(0)}/configmaps/anchor`

interface Case {
  name: string
  path: string
  /** Least ratio to the anchor. */
  target: number
  who: readonly ('admin' | 'member')[]
  /** Part of the short form, which has a minute for everything. */
  isSmoke?: true
}

const BOTH = ['admin', 'member'] as const

const CASES: readonly Case[] = [
  {
    name: 'page of 10 pods, newest first',
    path: PAGE,
    target: 3,
    who: ['admin'],
    isSmoke: true,
  },
  { name: '… named app-77', path: `${ROOT}/pods?limit=10&name=app-77`, target: 1, who: ['admin'] },
  {
    name: '… with label app=app-7',
    path: `${ROOT}/pods?limit=10&labelSelector=app%3Dapp-7`,
    target: 1,
    who: ['admin'],
  },
  { name: '… of status Pending', path: `${ROOT}/pods?limit=10&status=Pending`, target: 1, who: ['admin'] },
  {
    name: "page of a namespace's pods",
    path: `${ROOT}/namespaces/${namespaceName(3)}/pods?limit=10`,
    target: 3,
    who: BOTH,
  },
  { name: 'ConfigMap through the proxy', path: ANCHOR, target: 0.7, who: BOTH, isSmoke: true },
  { name: 'users', path: '/kapis/iam.kubesphere.io/v1alpha2/users?limit=10', target: 1, who: ['admin'] },
  {
    name: 'workspaces',
    path: '/kapis/tenant.kubesphere.io/v1alpha2/workspaces?limit=10',
    target: 1,
    who: BOTH,
  },
  {
    name: 'namespaces one is bound in',
    path: '/kapis/tenant.kubesphere.io/v1alpha2/namespaces?limit=10',
    target: 1,
    who: ['member'],
  },
]

/** Of the slowest of a hundred. */
const MOST_ADDED_MS = 3
/**
 * Requests a second that are offered to the product and to direct alike, besides half of what direct can do. At that the
 * processors are nearly busy with all that one request wants, and the tail is the queue before them: it has no target.
 */
const EVEN_RATE = 1_000
/** Of the length of a round: one in a hundred of few requests is chance. */
const PACED_TIMES = 2

/** Of the length of a round: between the start and the first. */
const REST_TIMES = 5
/** Of large answers: on a slow machine one takes almost three seconds over 32 connections. */
const LARGE_TIMES = 3

interface Times {
  seconds: number
  rounds: number
}

export interface ServingOptions {
  sizes?: readonly (keyof typeof SIZES)[]
  seconds?: number
  rounds?: number
  cases?: readonly Case[]
  /** Also at equal rates, which takes minutes. */
  isPaced?: boolean
  /** A built checkout of an earlier release, measured beside this one. */
  against?: string | undefined
}

export async function run(
  report: Report,
  {
    sizes = ['small', 'medium', 'large'],
    seconds = 3,
    rounds = 3,
    cases = CASES,
    isPaced = true,
    against,
  }: ServingOptions = {},
): Promise<void> {
  if (!haveWrk()) return report.skip('serving', 'wrk is not installed')
  if (!realClusterAvailable) return report.skip('serving', 'scripts/build-kubernetes.sh has not been run')
  for (const name of sizes)
    await runOn(report, name, SIZES[name], cases, { seconds, rounds, isPaced, against })
  addGrowth(report)
}

/** What a page costs before the largest cluster, of what it costs before the smallest. */
function addGrowth(report: Report): void {
  const [small, large] = (['small', 'large'] as const).map(
    (size) => report.rows.find(({ id }) => id === `serving/${size}/${PAGE}/admin`)?.cells['CPU ms'],
  )
  if (small === undefined || large === undefined) return
  const figures = { value: large / small, unit: 'times', atMost: 1.3 }
  report.add(row('serving/growth', 'CPU of a page before 200,000 pods, of that before 10,000', figures))
}

export const smoke = (report: Report): Promise<void> =>
  run(report, {
    sizes: ['small'],
    seconds: 1,
    rounds: 1,
    cases: CASES.filter(({ isSmoke }) => isSmoke),
    isPaced: false,
  })

async function runOn(
  report: Report,
  sizeName: string,
  size: Size,
  cases: readonly Case[],
  times: Times & Pick<ServingOptions, 'isPaced' | 'against'>,
): Promise<void> {
  const cluster = await startRealCluster({ lists: listsOf(size) })
  let product: Running | undefined
  let proxy: Running | undefined
  try {
    product = await startInFront(cluster.kubeconfig)
    const { url, pid } = product
    report.add(
      row(`serving/${sizeName}/ready`, 'ready after start', {
        value: product.readyMs,
        unit: 'ms',
        ...(sizeName === 'medium' && { atMost: 6_000 }),
      }),
    )
    const tokens = { admin: await tokenOf(url, 'admin'), member: await tokenOf(url, MEMBER) }
    proxy = await startGoProxy(cluster.url, cluster.token)
    const watched = { orrery: pid, ...cluster.processes }
    const direct: Target = { url: cluster.url + ANCHOR, token: cluster.token }
    await load(direct, 1)
    // Single objects are served before the caches are full; pages want them.
    const headers = { authorization: `Bearer ${tokens.admin}` }
    await until(async () => (await fetch(`${url}${ROOT}/pods?limit=10`, { headers })).ok)
    // What a start has to do besides takes a core for some seconds.
    await new Promise((resolve) => setTimeout(resolve, times.seconds * REST_TIMES * 1_000))

    for (const { name, path, target, who } of cases) {
      for (const person of who) {
        const subject: Target = { url: url + path, token: tokens[person] }
        const { measured, anchor } = await interleaved(subject, direct, watched, times)
        report.add(
          row(`serving/${sizeName}/${path}/${person}`, `${name}, ${person}`, {
            measured,
            anchor,
            process: 'orrery',
            atLeastRatio: target,
          }),
        )
        if (path === ANCHOR)
          report.add(
            row(`serving/${sizeName}/${path}/${person}/added`, '… added to 99 of 100', {
              value: measured.p99Ms - anchor.p99Ms,
              unit: 'ms',
              // In a second the slowest of a hundred is chance, and the short form must not fail by it.
              ...(times.rounds > 1 && { atMost: MOST_ADDED_MS }),
            }),
          )
      }
    }
    if (times.isPaced) {
      const ours: Target = { url: url + ANCHOR, token: tokens.admin }
      const go: Target | undefined = proxy && { url: proxy.url + ANCHOR, token: cluster.token }
      const processes = { ours: pid, ...(proxy && { go: proxy.pid }) }
      await compareAtEqualRate(report, sizeName, { direct, ours, ...(go && { go }) }, processes, times)
    }
    if (times.against !== undefined)
      await compareReleases(report, sizeName, cluster, product, tokens, cases, times.against, times)
    if (proxy) await compareProxies(report, sizeName, cluster, product, proxy, tokens.admin, times)
    report.add(
      row(
        `serving/${sizeName}/resident`,
        `resident (${size.pods} pods, ${bindingsOfMember(size)} bindings of the member)`,
        {
          value: product.memory().residentMb,
          unit: 'MB',
          ...(sizeName === 'medium' && { atMost: 350 }),
        },
      ),
    )
  } finally {
    await proxy?.stop()
    await product?.stop()
    await cluster.stop()
  }
}

/** Rounds of one second-long piece each, in turn: a slow moment of the machine hits both. */
async function interleaved(
  subject: Target,
  anchorTarget: Target,
  watched: Record<string, number>,
  { seconds, rounds }: Times,
): Promise<{ measured: Measured; anchor: Measured }> {
  const subjects: Measured[] = []
  const anchors: Measured[] = []
  await load(subject, 1)
  for (let round = 0; round < rounds; round++) {
    anchors.push(await load(anchorTarget, seconds, watched))
    subjects.push(await load(subject, seconds, watched))
  }
  return { measured: medianOf(subjects), anchor: medianOf(anchors) }
}

/** What the product adds to the time of a request, when the API server is asked as often without it. */
async function compareAtEqualRate(
  report: Report,
  sizeName: string,
  targets: { direct: Target; ours: Target; go?: Target },
  processes: Record<string, number>,
  { seconds, rounds }: Times,
): Promise<void> {
  const pacer = buildPacer()
  if (!pacer) return report.skip(`serving/${sizeName}/paced`, 'go is not installed')
  const offered: Record<string, string> = {
    even: `${EVEN_RATE} offered a second`,
    half: "half of direct's rate offered",
  }
  const names: Record<string, string> = {
    direct: 'direct',
    ours: 'through the proxy',
    go: 'through the Go proxy',
  }
  try {
    const { perSecond } = await load(targets.direct, seconds)
    const rates = { even: EVEN_RATE, half: Math.round(perSecond / 2) }
    for (const [which, rate] of Object.entries(rates)) {
      const all: Record<string, Measured[]> = {}
      for (let round = 0; round < rounds; round++) {
        for (const [name, target] of Object.entries(targets))
          (all[name] ??= []).push(await paced(pacer.path, target, rate, seconds * PACED_TIMES, processes))
      }
      const id = `serving/${sizeName}/paced/${which}`
      const medians = Object.fromEntries(Object.entries(all).map(([name, of]) => [name, medianOf(of)]))
      for (const [name, measured] of Object.entries(medians))
        report.add(
          row(`${id}/${name}`, `ConfigMap ${names[name] ?? name}, ${offered[which] ?? which}`, {
            measured,
            process: name,
          }),
        )
      const added = (medians['ours']?.p99Ms ?? 0) - (medians['direct']?.p99Ms ?? 0)
      const limit = which === 'even' ? { atMost: MOST_ADDED_MS } : {}
      report.add(row(`${id}/added`, '… added to 99 of 100', { value: added, unit: 'ms', ...limit }))
      if (medians['go'])
        report.add(
          row(`${id}/added/go`, '… by the Go proxy', {
            value: medians['go'].p99Ms - (medians['direct']?.p99Ms ?? 0),
            unit: 'ms',
          }),
        )
    }
  } finally {
    pacer.remove()
  }
}

/** This one beside an earlier one, before the same cluster. */
async function compareReleases(
  report: Report,
  sizeName: string,
  cluster: RealCluster,
  product: Running,
  tokens: Readonly<Record<'admin' | 'member', string>>,
  cases: readonly Case[],
  checkout: string,
  times: Times,
): Promise<void> {
  const earlier = await startInFront(cluster.kubeconfig, { checkout })
  try {
    const theirs = { admin: await tokenOf(earlier.url, 'admin'), member: await tokenOf(earlier.url, MEMBER) }
    for (const { name, path, who } of cases) {
      const [person = 'admin'] = who
      const { measured, anchor } = await interleaved(
        { url: product.url + path, token: tokens[person] },
        { url: earlier.url + path, token: theirs[person] },
        { orrery: product.pid, earlier: earlier.pid },
        times,
      )
      if (anchor.failed > 0) continue // Not there then.
      report.add(
        row(`serving/${sizeName}/earlier/${path}`, `${name}, against an earlier release`, {
          measured,
          anchor,
          process: 'orrery',
          anchorProcess: 'earlier',
        }),
      )
    }
  } finally {
    await earlier.stop()
  }
}

async function compareProxies(
  report: Report,
  sizeName: string,
  cluster: RealCluster,
  product: Running,
  proxy: Running,
  token: string,
  times: Times,
): Promise<void> {
  const pods = `/api/v1/pods?limit=500`
  const { seconds, rounds } = times
  for (const [name, path, lasting] of [
    ['one ConfigMap', ANCHOR, seconds],
    ['a page of 500 pods', pods, seconds * LARGE_TIMES],
  ] as const) {
    const ours: Target = { url: product.url + path, token }
    const theirs: Target = { url: proxy.url + path, token: cluster.token }
    const watched = { orrery: product.pid, go: proxy.pid, ...cluster.processes }
    const { measured, anchor } = await interleaved(ours, theirs, watched, { seconds: lasting, rounds })
    report.add(
      row(`serving/${sizeName}/proxy/${name}`, `proxied ${name} against a Go proxy`, {
        measured,
        anchor,
        process: 'orrery',
        anchorProcess: 'go',
      }),
    )
  }
}

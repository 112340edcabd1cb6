/**
 * What the lists of an ordinary member cost, by the size of the platform around the member. They must not grow with
 * it: the member has 200 projects in one workspace, and the platform up to 4,000 in 1,000.
 */
import { visibleList, type VisibleList } from '../src/apis/tenant/v1alpha2/lists.js'
import { KindStores } from '../src/listing/stores.js'
import { NAMESPACES, WORKSPACE_TEMPLATES } from '../src/tenancy/resources.js'
import { Visibility } from '../src/tenancy/visibility/index.js'
import { LiteralTenancy, person } from '../test/fixtures/tenancy.js'
import { type Report, row } from './_report.js'

const REQUESTS = 200
const OWN = 200
const LARGE = 4_000
const MEMBER = person('member')
/** CPU of one request, by the issue that asked for it. */
const TARGET = { unit: 'ms CPU', atMost: 20 }

export const run = (report: Report): Promise<void> => measureAll(report, [400, LARGE])
export const smoke = (report: Report): Promise<void> => measureAll(report, [LARGE])

async function measureAll(report: Report, sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    for (const [name, value] of Object.entries(await measure(size)))
      report.add(row(`visibility-${name}-${size}`, `${name}, ${size} namespaces`, { value, ...TARGET }))
  }
}

async function measure(namespaces: number): Promise<Record<string, number>> {
  const tenancy = platformOf(namespaces)
  const stores = new KindStores({ informers: tenancy.informers, serves: () => true, now: () => new Date() })
  const visibility = new Visibility(tenancy)
  const client = new AbortController()
  const list = (type: VisibleList['type'], query: string, choose: VisibleList['choose']): Promise<number> =>
    cpuOf(() => visibleList({ type, query: new URLSearchParams(query), choose, client }, stores))
  const own = (): ReturnType<VisibleList['choose']> => visibility.namespaces(MEMBER, 'ws-0')
  return {
    workspaces: await list(WORKSPACE_TEMPLATES, 'limit=10', (store) => visibility.workspaces(MEMBER, store)),
    'page of projects': await list(NAMESPACES, 'limit=10&sortBy=createTime', own),
    'all projects': await list(NAMESPACES, '', own),
  }
}

/** Five bindings per namespace; every fourth namespace opens a workspace. */
function platformOf(namespaces: number): LiteralTenancy {
  const tenancy = new LiteralTenancy()
  for (let i = 0; i < namespaces; i++) {
    const workspace = `ws-${i < OWN ? 0 : Math.floor(i / 4)}`
    if (i % 4 === 0) tenancy.workspace(`ws-${i / 4}`)
    tenancy.namespace(`ns-${i}`, workspace)
    const members = Array.from({ length: 5 }, (_, n) => `user-${(i * 5 + n) % (namespaces / 2)}`)
    if (i < OWN) members[0] = MEMBER.name
    for (const name of members) tenancy.inNamespace(name, `ns-${i}`)
  }
  tenancy.inWorkspace(MEMBER.name, 'ws-0')
  return tenancy
}

async function cpuOf(request: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < REQUESTS; i++) await request()
  const before = process.cpuUsage()
  for (let i = 0; i < REQUESTS; i++) await request()
  const { user, system } = process.cpuUsage(before)
  return Math.round((user + system) / REQUESTS) / 1_000
}

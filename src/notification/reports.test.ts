import { afterEach, beforeEach, expect, it } from 'vitest'
import { SILENT } from '../serving/log.js'
import { type Directory, type Target } from './directory.js'
import { type Data } from './message/alerts.js'
import { Journal } from './queue/journal.js'
import { Reports } from './reports.js'
import { type Sender } from './sender.js'
import { firing } from '../../test/fixtures/channeljob.js'

let journal: Journal
let reports: Reports
let posted: { target: Target; data: Data }[]
let failures: number

beforeEach(() => {
  journal = Journal.open(':memory:')
  posted = []
  failures = 0
  const directory = {
    manager: () => ({ history: { webhook: { url: 'http://history' } } }),
  } as unknown as Directory
  const sender = {
    send: (target: Target, data: Data) => {
      posted.push({ target, data })
      return failures-- > 0 ? Promise.reject(new Error('down')) : Promise.resolve()
    },
  } as unknown as Sender
  reports = new Reports({ directory, sender, journal, logger: SILENT }, { gatherMs: -1, pauseMs: 1 })
})
afterEach(async () => {
  await reports.close()
  journal.close()
})

async function told(receiver: string, outcome: 'delivered' | 'failed', done = {}): Promise<void> {
  const alerts = [firing('Disk')]
  const recipient = { receiver, channel: 'email', tenant: '' }
  await journal.dispatch([], { deliveries: [{ ...recipient, group: '', alerts }], untold: [] }, 1, 0)
  const delivery = journal.next(receiver, 'email')
  if (delivery) await journal.finish({ ...delivery, done }, outcome, '', Date.now() - 10, true)
}

it('a history webhook that fails three times has the alert on the fourth try, and once', async () => {
  await told('ops', 'delivered', { 'a@example.com': '' })
  await told('dev', 'delivered', { 'b@example.com': '', 'c@example.com': 'no such user' })
  failures = 3

  reports.start()

  await expect.poll(() => posted.length).toBe(4)
  await expect.poll(() => journal.unreported.before(Date.now(), 10)).toEqual([])
  expect(posted[3]?.target.spec.template).toBe('nm.default.history')
  expect(posted[3]?.data.alerts).toMatchObject([
    {
      labels: { alertname: 'Disk' },
      notificationTime: expect.stringMatching(/^20/) as string,
      receiver: { ops: { email: ['a@example.com'] }, dev: { email: ['b@example.com'] } },
    },
  ])
  await told('late', 'delivered')
  expect(journal.unreported.before(Date.now(), 10)).toEqual([])
}, 30_000)

it('an alert that nobody could be told of is not reported', async () => {
  await told('ops', 'failed')

  expect(journal.unreported.before(Date.now(), 10)).toEqual([])
})

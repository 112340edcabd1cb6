import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Alert, alertOf } from '../message/alerts.js'
import { type Dispatch, Journal } from './journal.js'

const REPEAT_MS = 240_000
const R = { receiver: 'r', channel: 'webhook', tenant: '' }

let directory: string
let file: string
let journal: Journal

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'orrery-journal-'))
  file = join(directory, 'journal.db')
  journal = Journal.open(file)
})
afterEach(() => {
  journal.close()
  rmSync(directory, { recursive: true, force: true })
})

function alert(name: string, namespace = 'a'): Alert {
  return alertOf({ status: 'firing', labels: { alertname: name, namespace } }, 'x') as Alert
}

const told = (...alerts: Alert[]): Dispatch => ({
  deliveries: [{ ...R, group: 'g', alerts }],
  untold: [],
})
const names = (): string[] | undefined =>
  journal.next('r', 'webhook')?.alerts.map(({ labels }) => labels['alertname'] ?? '')

async function dispatch(now: number, ...alerts: Alert[]): Promise<void> {
  await journal.dispatch([], told(...alerts), now, now - REPEAT_MS)
}

async function finish(outcome: 'delivered' | 'failed', now: number): Promise<void> {
  const delivery = journal.next('r', 'webhook')
  if (delivery) await journal.finish(delivery, outcome, '', now)
}

describe('the journal', () => {
  it('has an alert that came twice in one request told once', async () => {
    await dispatch(0, alert('A'), alert('A'))

    expect(names()).toEqual(['A'])
  })

  it('does not tell again what has been told within the interval, and does afterwards', async () => {
    await dispatch(1_000, alert('A'))
    await finish('delivered', 2_000)

    await dispatch(REPEAT_MS, alert('A'))
    expect(names()).toBeUndefined()
    await dispatch(2_001 + REPEAT_MS, alert('A'))
    expect(names()).toEqual(['A'])
  })

  it('does not queue again what still waits for a receiver that is down, however long', async () => {
    await dispatch(0, alert('A'))

    await dispatch(10 * REPEAT_MS, alert('A'))
    await finish('delivered', 10 * REPEAT_MS)

    expect(names()).toBeUndefined()
  })

  it('gives what could not be told another chance when it is sent again', async () => {
    await dispatch(0, alert('A'))
    await finish('failed', 10)

    await dispatch(20, alert('A'))

    expect(names()).toEqual(['A'])
  })

  it('tells together what belongs together, but adds nothing to a message that may be on its way', async () => {
    await dispatch(0, alert('A'))
    await dispatch(1, alert('B'))
    await dispatch(2, alert('C'))

    expect(names()).toEqual(['A'])
    await finish('delivered', 3)
    expect(names()).toEqual(['B', 'C'])
  })

  it('takes from each namespace in turn, so that a storm in one does not hold up the others', async () => {
    const storm = Array.from({ length: 3_000 }, (_, n) => ({
      share: 'storm',
      alert: alert(`S${n}`, 'storm'),
    }))
    await journal.accept(storm)
    await journal.accept([{ share: 'calm', alert: alert('C', 'calm') }])

    const taken = journal.take(100)

    expect(taken.filter(({ share }) => share === 'calm')).toHaveLength(1)
    expect(taken.length).toBeLessThanOrEqual(101)
    await journal.dispatch(taken, { deliveries: [], untold: [] }, 0, 0)
    expect(journal.waiting()).toBe(2_900)
  })

  it('keeps what was accepted, and what of a message is done, for the next process', async () => {
    await journal.accept([{ share: 'a', alert: alert('A') }])
    await dispatch(0, alert('B'))
    const delivery = journal.next('r', 'webhook')
    expect(delivery).toBeDefined()
    if (delivery) {
      delivery.done['ops@example.com'] = ''
      await journal.progress(delivery)
    }
    journal.close()

    journal = Journal.open(file)

    expect(journal.waiting('a')).toBe(1)
    expect(journal.next('r', 'webhook')?.done).toEqual({ 'ops@example.com': '' })
  })

  it('writes together what comes together, and one that fails fails alone', async () => {
    const bad = { share: 'a', alert: undefined as unknown as Alert }

    const outcomes = await Promise.allSettled([
      journal.accept([{ share: 'a', alert: alert('A') }]),
      journal.accept([bad]),
      journal.accept([{ share: 'a', alert: alert('B') }]),
    ])

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(journal.take(10).map(({ alert: { labels } }) => labels['alertname'])).toEqual(['A', 'B'])
  })
})

import { expect, it } from 'vitest'
import { firing } from '../../../test/fixtures/channeljob.js'
import { alertOf, dataOf, groups } from './alerts.js'

it('alerts of two names and of two namespaces are told apart', () => {
  const alerts = [
    firing('A', { labels: { namespace: 'x' } }),
    firing('B', { labels: { namespace: 'x' } }),
    firing('A', { labels: { namespace: 'x', pod: 'p' } }),
    firing('A'),
  ]

  expect([...groups(alerts, ['alertname', 'namespace']).values()].map((group) => group.length)).toEqual([
    2, 1, 1,
  ])
  expect(groups(alerts, []).size).toBe(1)
})

it('what all alerts of a group say is common, and what is empty is left out', () => {
  const data = dataOf(
    [firing('A', { labels: { zone: 'n', pod: 'a' } }), firing('A', { labels: { zone: 'n', pod: 'b' } })],
    ['alertname', 'namespace'],
  )

  expect(data.groupLabels).toEqual({ alertname: 'A' })
  expect(data.commonLabels).toEqual({ alertname: 'A', cluster: 'here', zone: 'n' })
})

it('an alert has the name of the cluster when it names none, and may lack labels and annotations', () => {
  expect(alertOf({ labels: { cluster: 'there' } }, 'here')?.labels).toEqual({ cluster: 'there' })
  expect(alertOf({ labels: null, annotations: null }, 'here')).toMatchObject({
    labels: { cluster: 'here' },
    annotations: {},
  })
  expect(alertOf('x', 'here')).toBeUndefined()
})

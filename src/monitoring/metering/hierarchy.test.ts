import { describe, expect, it } from 'vitest'
import { UNCHARGED } from '../answer.js'
import { hierarchyOf } from './hierarchy.js'

const series = (pod: string, kind: string, owner: string, sum: string) => ({
  ...UNCHARGED,
  metric: { namespace: 'n', pod, owner_kind: kind, owner_name: owner },
  sum_value: sum,
})
const metrics = {
  results: [
    {
      metric_name: 'meter_pod_cpu_usage',
      data: {
        result: [
          series('web-5d9-a', 'ReplicaSet', 'web-5d9', '1.0000000000'),
          series('web-5d9-b', 'ReplicaSet', 'web-5d9', '2.0000000000'),
          series('db-0', 'StatefulSet', 'db', '4.0000000000'),
          series('once', 'Job', 'once', '8.0000000000'),
        ],
      },
    },
    {
      metric_name: 'meter_pod_memory_usage_wo_cache',
      data: { result: [series('db-0', 'StatefulSet', 'db', '1024.0000000000')] },
    },
  ],
}
const NONE = { memory_usage_wo_cache: 0, net_bytes_transmitted: 0, net_bytes_received: 0, pvc_bytes_total: 0 }

describe('the consumption of a project', () => {
  it('is added up by workload', () => {
    expect(hierarchyOf(metrics, { openpitrixs: [], apps: [] })).toEqual({
      openpitrixs: null,
      apps: null,
      deployments: {
        web: {
          cpu_usage: 3,
          ...NONE,
          pods: { 'web-5d9-a': { cpu_usage: 1, ...NONE }, 'web-5d9-b': { cpu_usage: 2, ...NONE } },
        },
      },
      statefulsets: {
        db: {
          ...NONE,
          cpu_usage: 4,
          memory_usage_wo_cache: 1024,
          pods: { 'db-0': { ...NONE, cpu_usage: 4, memory_usage_wo_cache: 1024 } },
        },
      },
      daemonsets: null,
    })
  })

  it('of an application is told once, under the application alone', () => {
    const apps = [{ name: 'shop:v1', members: ['Deployment:web', 'StatefulSet:db'] }]

    const { deployments, statefulsets, apps: told } = hierarchyOf(metrics, { openpitrixs: [], apps })

    expect([deployments, statefulsets]).toEqual([null, null])
    expect(told?.['shop:v1']).toMatchObject({ cpu_usage: 7, memory_usage_wo_cache: 1024 })
    expect(Object.keys(told?.['shop:v1']?.statefulsets ?? {})).toEqual(['db'])
  })
})

/** Deleting a collection deletes every object that is selected, so every one of them is judged. */
import { isObject } from '../../apimachinery/json/index.js'
import { type KubeList } from '../../apimachinery/meta/types.js'
import { errorOf } from '../../client/answer.js'
import { send, type Transport } from '../../client/transport.js'
import { type Exchange } from '../exchange.js'
import { type Policy } from './policy.js'

const SELECTORS = ['labelSelector', 'fieldSelector']

/**
 * Whoever adds an object in between adds one that they mean to be deleted: what policies protect is there for long.
 * @throws StatusError what the policy says of the first that must stay
 */
export async function judgeCollection(
  exchange: Exchange,
  policy: Policy,
  upstream: Transport,
): Promise<void> {
  if (policy.indifferentTo?.includes('delete')) return
  const query = new URLSearchParams(exchange.search)
  const selected = new URLSearchParams()
  for (const key of SELECTORS) for (const value of query.getAll(key)) selected.append(key, value)
  const search = selected.toString()
  const { status, body } = await send(
    upstream,
    {
      method: 'GET',
      path: search === '' ? exchange.path : `${exchange.path}?${search}`,
      headers: { accept: 'application/json', 'audit-id': exchange.id },
    },
    exchange.signal,
  )
  if (status !== 200) throw errorOf(status, body)
  const { items } = JSON.parse(body.toString()) as KubeList
  for (const item of items.filter(isObject)) {
    const { name = '', namespace } = item.metadata
    await policy.judge?.({
      caller: exchange.user,
      verb: 'delete',
      subresource: '',
      namespace: namespace ?? exchange.info.namespace,
      name,
      before: item,
      after: undefined,
      dryRun: /(?:^|&)dryRun=All(?:&|$)/.test(exchange.search),
      signal: exchange.signal,
    })
  }
}

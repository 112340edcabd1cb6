/** Whether what was acknowledged is there again after the process was killed in the middle of its work. */
import { Agent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, configMap, type KubeTarget, open, startKubeProcess } from './_kubeload.js'

const WRITERS = 16
const SMALL = 200

export interface Kills {
  acknowledged: number
  lost: number
}

/** Kills the server so many times under load, and looks for the writes of each round after the next start. */
export async function killLoop(dataDir: string, rounds: number): Promise<Kills> {
  const acknowledged: string[] = []
  let fresh: string[] = []
  let lost = 0
  for (let round = 0; round <= rounds; round++) {
    const server = await startKubeProcess(dataDir)
    if (round > 0) lost += await missing(server, `/api/v1/namespaces/k${round - 1}/configmaps`, fresh)
    if (round < rounds) {
      fresh = await writeUntilKilled(server, round)
      acknowledged.push(...fresh)
      continue
    }
    // Nor may a later round have taken what an earlier one left.
    lost += await missing(server, '/api/v1/configmaps', acknowledged)
    await server.kill()
  }
  return { acknowledged: acknowledged.length, lost }
}

/** @returns the names that were acknowledged */
async function writeUntilKilled(
  server: KubeTarget & { kill(): Promise<void> },
  round: number,
): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: WRITERS })
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `k${round}` } }
  await call(server, agent, 'POST', '/api/v1/namespaces', JSON.stringify(namespace))
  const made: string[] = []
  const writer = async (number: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const name = `k${round}-${number}-${i}`
      const path = `/api/v1/namespaces/k${round}/configmaps`
      const answer = await call(server, agent, 'POST', path, configMap(name, SMALL)).catch(() => undefined)
      if (answer?.status !== 201) return
      made.push(name)
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, number) => writer(number))
  await sleep(50 + Math.random() * 200)
  await server.kill()
  await Promise.all(writers)
  agent.destroy()
  return made
}

async function missing(server: KubeTarget, path: string, names: readonly string[]): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of await open(server, new Agent(), 'GET', path)) chunks.push(chunk as Buffer)
  const found = new Set<string>()
  const text = Buffer.concat(chunks).toString('latin1')
  for (const [, name = ''] of text.matchAll(/"name":"(k\d+-\d+-\d+)"/g)) found.add(name)
  return names.filter((name) => !found.has(name)).length
}

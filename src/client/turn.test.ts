import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { atEndOfTurn } from './turn.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('writes at the end of a turn', () => {
  it('come after all that the turn brings, in order', async () => {
    const done: string[] = []
    atEndOfTurn(() => done.push('first'))
    atEndOfTurn(() => {
      done.push('second')
      atEndOfTurn(() => done.push('of the next'))
    })
    await Promise.resolve()
    process.nextTick(() => done.push('before'))
    await turn()
    expect(done.slice(0, 3)).toEqual(['before', 'first', 'second'])
    await turn()
    expect(done).toEqual(['before', 'first', 'second', 'of the next'])
  })

  it('wait for the others that have sent something, and for nobody who has not', async () => {
    const order: string[] = []
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        order.push(`read ${chunk.toString()}`)
        atEndOfTurn(() => {
          order.push(`wrote ${chunk.toString()}`)
          socket.write(chunk)
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const clients = await Promise.all(
      ['a', 'b', 'silent'].map(
        () =>
          new Promise<Socket>((resolve) => {
            const socket = connect(port, '127.0.0.1', () => resolve(socket))
          }),
      ),
    )
    try {
      const answers = clients.slice(0, 2).map((socket, i) => {
        const answer = new Promise((resolve) => socket.once('data', resolve))
        socket.write('ab'.charAt(i))
        return answer
      })
      await Promise.all(answers)
      expect([...order].sort()).toEqual(['read a', 'read b', 'wrote a', 'wrote b'])
      expect(order.indexOf('read a')).toBeLessThan(order.indexOf('wrote a'))
    } finally {
      for (const socket of clients) socket.destroy()
      server.close()
    }
  })
})

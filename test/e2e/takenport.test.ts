/** A port of something that can be done without is taken: the platform starts, and says in one line what to do. */
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { type Logger, SILENT } from '../../src/serving/log.js'
import { startProduct } from '../fixtures/product.js'

it('the notification port being taken is told with the flag that helps, not with a stack trace', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port: notificationPort } = other.address() as AddressInfo
  const said: { fields: object; message: string }[] = []
  const logger: Logger = { ...SILENT, warn: (fields, message) => said.push({ fields, message }) }
  const product = await startProduct({ notificationPort, logger })
  try {
    expect(product.notificationUrl).toBeUndefined()
    expect((await fetch(`${product.url}/kapis/version`)).status).toBe(200)
    const told = said.filter(({ message }) => message === 'the notification manager did not start')
    expect(told).toHaveLength(1)
    const text = JSON.stringify(told[0]?.fields)
    expect(text).toContain(`Port ${notificationPort}`)
    expect(text).toContain('--notification-port 0')
    expect(text).not.toContain(' at ')
  } finally {
    await product.close()
    other.close()
  }
}, 60_000)

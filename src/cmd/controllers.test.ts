import { describe, expect, it } from 'vitest'
import { LiteralInformers } from '../../test/fixtures/informers.js'
import { remembering } from '../../test/fixtures/logger.js'
import { answering } from '../client/testing/answering.js'
import { loadConfiguration } from '../configuration/load.js'
import { startControllers } from './controllers.js'

async function logOf(selection: string[], overrides: Record<string, string> = {}) {
  const logger = remembering()
  const { options } = loadConfiguration({ directories: [], environment: {}, overrides })
  const controllers = startControllers({
    options,
    upstream: answering(() => undefined),
    informers: new LiteralInformers(),
    logger,
    selection,
  })
  await controllers.close()
  return logger.lines
}

const warned = async (...args: Parameters<typeof logOf>) =>
  (await logOf(...args)).filter(({ level }) => level === 'warn').map(({ fields }) => fields)

describe('choosing controllers', () => {
  it('starts those that were named', async () => {
    expect(await logOf(['user', 'group'])).toContainEqual({
      level: 'debug',
      fields: { controllers: ['group', 'user'] },
      message: 'controllers started',
    })
  })

  it('warns of a name that no controller has, or none without more configuration', async () => {
    expect(await warned(['*', '-user', 'usr', 'ldap'])).toEqual([
      { controller: 'usr' },
      { controller: 'ldap' },
    ])
    expect(await warned(['*', 'ldap'], { 'ldap.host': '127.0.0.1:389' })).toEqual([])
  })
})

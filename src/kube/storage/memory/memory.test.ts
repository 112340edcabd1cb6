import { describeStorage } from '../conformance.js'
import { createMemoryStorage } from './index.js'

describeStorage('memory storage', async (options) => createMemoryStorage(options))

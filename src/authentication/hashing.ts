/** What runs in the thread of `hashthread.ts`: one hash after the other, after everybody else. */
import { setPriority } from 'node:os'
import { isMainThread, parentPort } from 'node:worker_threads'
import bcrypt from 'bcrypt'

export type HashQuestion = { compare: string; hash: string } | { password: string; cost: number }

export interface HashAnswer {
  id: number
  value?: boolean | string
  error?: string
}

/** Linux gives each thread its own priority; elsewhere this would slow the whole process. */
const NICE = 10
if (process.platform === 'linux' && !isMainThread) setPriority(0, NICE)

parentPort?.on('message', ({ id, question }: { id: number; question: HashQuestion }) => {
  parentPort?.postMessage(answered(id, question))
})

function answered(id: number, question: HashQuestion): HashAnswer {
  try {
    if ('cost' in question) return { id, value: bcrypt.hashSync(question.password, question.cost) }
    return { id, value: bcrypt.compareSync(question.compare, question.hash) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

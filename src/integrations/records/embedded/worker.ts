/** The thread of the store as its owner sees it: asked one question at a time, and perhaps dead. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Notice, type Question, type Reply, ROLE, type ThreadOptions } from './protocol.js'

export interface Thread {
  /** Rejects when the thread ends instead of answering. */
  ask(question: Question): Promise<Reply>
  /** Settles when the files are closed. */
  close(): Promise<void>
}

export interface ThreadHooks {
  onNotice: (notice: Notice) => void
  /** It has ended without having been told to. */
  onDeath: (error: Error) => void
}

/**
 * Bounds of the thread's heap; what SQLite holds is besides. A young generation of 8 MB, which V8 gives back now and not then, takes in
 * records with 3 % less CPU, one of 2 MB with 9 % more.
 */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 }

export async function startThread(
  { directory, retention }: ThreadOptions,
  hooks: ThreadHooks,
): Promise<Thread> {
  const options: ThreadOptions = { directory, retention }
  const compiled = new URL('thread.js', import.meta.url)
  // From sources, in tests, there is no file that a worker could run: the same runs behind the same port, in here.
  if (!existsSync(fileURLToPath(compiled))) {
    const { answerQuestions } = await import('./thread.js')
    const { port1, port2 } = new MessageChannel()
    answerQuestions(port2, options)
    return threadBehind(port1, hooks)
  }
  const worker = new Worker(compiled, { workerData: { role: ROLE, options }, resourceLimits: LIMITS })
  return threadBehind(worker, hooks)
}

function threadBehind(port: Worker | MessagePort, { onNotice, onDeath }: ThreadHooks): Thread {
  let settle: { resolve(reply: Reply): void; reject(error: Error): void } | undefined
  let closed: (() => void) | undefined
  let death: Error | undefined
  const end = (error?: Error): void => {
    if (death) return
    death = error ?? new Error('the thread has ended')
    settle?.reject(death)
    settle = undefined
    if (closed) closed()
    else onDeath(death)
  }
  // What both are, of the many overloads of each.
  const emitter = port as unknown as { on(event: string, listener: (value: never) => void): unknown }
  emitter.on('message', (said: Reply | Notice) => {
    if ('notice' in said) return onNotice(said)
    const asked = settle
    settle = undefined
    asked?.resolve(said)
  })
  emitter.on('error', end)
  emitter.on('exit', () => end())
  emitter.on('close', () => end())
  port.unref()
  return {
    ask(question) {
      return new Promise((resolve, reject) => {
        if (death) return reject(death)
        settle = { resolve, reject }
        port.ref() // An answer that is waited for keeps the process.
        port.postMessage(question)
      }).finally(() => port.unref()) as Promise<Reply>
    },
    close() {
      return new Promise((resolve) => {
        if (death) return resolve()
        closed = resolve
        port.ref()
        port.postMessage('close')
      })
    },
  }
}

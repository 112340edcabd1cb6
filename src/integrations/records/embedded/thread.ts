/**
 * The store's own thread: SQLite works synchronously, and must not keep requests waiting.
 *
 * `answerQuestions` is what the thread runs; on import as a worker it starts by itself, with the options as data.
 */
import { join } from 'node:path'
import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { KINDS, type RecordKind } from '../kinds.js'
import { FileGone, isDamage } from './connection.js'
import { faultOf, type Notice, type Question, type Reply, ROLE, type ThreadOptions } from './protocol.js'
import { Segments } from './segments.js'

type Port = Pick<MessagePort, 'postMessage' | 'on' | 'close'>

/** One question at a time; the answer is posted before the next is looked at. */
export function answerQuestions(port: Port, { directory, retention }: ThreadOptions): void {
  const opened = new Map<RecordKind, Segments>()

  function segmentsOf(kind: RecordKind): Segments {
    let segments = opened.get(kind)
    if (!segments) {
      segments = new Segments({
        ...retention[kind],
        directory: directory === undefined ? undefined : join(directory, kind),
        schema: KINDS[kind],
        onLost: (file, error) => port.postMessage(noticeOf(file, error)),
      })
      opened.set(kind, segments)
    }
    return segments
  }

  function answer(question: Question): unknown {
    const segments = segmentsOf(question.kind)
    switch (question.ask) {
      case 'append':
        return segments.append(question.documents)
      case 'page':
        return segments.page(question.query, question.options)
      case 'statistics':
        return segments.statistics(question.query)
      case 'histogram':
        return segments.histogram(question.query, question.interval)
      case 'portion':
        return segments.portion(question.query, question.limit, question.after)
    }
  }

  port.on('message', (question: Question | 'close') => {
    if (question === 'close') {
      for (const segments of opened.values()) segments.close()
      port.close()
      return
    }
    let reply: Reply
    try {
      reply = { value: answer(question) }
    } catch (error) {
      reply = faultOf(error)
    }
    port.postMessage(reply)
  })
}

function noticeOf(file: string, error: unknown): Notice {
  return { notice: textOf(error), file, error: error instanceof Error ? error.message : String(error) }
}

function textOf(error: unknown): string {
  if (error instanceof FileGone) return 'a file of records is gone, and the other files are served'
  if (isDamage(error))
    return 'a file of records is damaged: it has been renamed to .damaged, and the other files are served'
  return 'a file of records cannot be opened: it is left out until the next start'
}

const data: unknown = workerData
if (!isMainThread && parentPort && isThreadData(data)) answerQuestions(parentPort, data.options)

function isThreadData(value: unknown): value is { role: string; options: ThreadOptions } {
  return typeof value === 'object' && value !== null && 'role' in value && value.role === ROLE
}

/** How much of the memory that this process may have is in use. */
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

const LOOK_EVERY_MS = 250

/** Of the heap, or of the whole, whichever is fuller; looked at now and then. @returns between 0 and 1 */
export function memoryMeter(): () => number {
  const ceiling = Math.min(process.constrainedMemory() || Infinity, totalmem())
  let lookAt = 0
  let used = 0
  return () => {
    const now = performance.now()
    if (now < lookAt) return used
    lookAt = now + LOOK_EVERY_MS
    const { used_heap_size: heap, heap_size_limit: most } = getHeapStatistics()
    used = Math.max(heap / most, process.memoryUsage.rss() / ceiling)
    return used
  }
}

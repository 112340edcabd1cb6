/**
 * Keeps the heap of a server about as large as what is in it.
 *
 * V8 doubles its young generation while modules are loaded, up to 32 MB that an idle server then keeps; and a process
 * that does nothing collects nothing, so what the start has left behind stays. Both together were 30 MB of 135.
 */
import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { forgetRecent } from '../apimachinery/packing/index.js'

const LOOK_EVERY_MS = 3_000
/** The start is over then. */
const START_LOOKS = 3
/** Of the time between two looks. A collection stops everything for a moment, so nobody may be waiting. */
const QUIET = 0.05
/** Collecting is worth it from so much more in use than after the last time. */
const GROWN = { by: 4 * 1024 ** 2, times: 1.2 }
/** V8 keeps pages that a burst has left half empty: so much more of them than after the last time, of what is in use. */
const EMPTIER = { by: 16 * 1024 ** 2, times: 0.2 }
/**
 * A young generation that has grown for a burst keeps up to 32 MB. V8 shrinks it when it collects after five seconds in which
 * little was allocated: if it does not find so the first time, after twice as many looks it may.
 */
const YOUNG = { by: 8 * 1024 ** 2, quietLooks: 3 }
/** Above, the stop would be long enough to be noticed; V8 works piecemeal there. */
const LARGEST = 512 * 1024 ** 2
/**
 * V8 lets a heap grow to four times what is in it before it looks through all of it: 190 MB of 46 under a storm of alerts.
 * While it is small, it may come somewhat sooner. Not much: with 80 percent, pages of 50,000 pods took a quarter more, and one
 * in a hundred waited twice as long.
 */
const SMALL = { bytes: 192 * 1024 ** 2, growth: '--heap-growing-percent=150' }
/** At once to what V8 finds good: by doubling it takes seconds, in which what requests leave is looked through too often. */
const YOUNG_GROWTH = '--semi-space-growth-factor=16'

/**
 * Larger than what glibc maps apart from its heap when the environment says MALLOC_MMAP_THRESHOLD_=131072, and than what is
 * free in one piece within it: there it would go first, and the heap grow. In a million requests beside writes: with 256 KB
 * from 10 to 19 MB, with 512 from 9 to 18 in one run and to 14 in another, with this from 11 to 12.
 */
const MAPPED_POOL = 1024 * 1024

/** To be called before anything large is loaded. */
export function startSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString(SMALL.growth)
  // Node cuts small buffers from pools. Of 8 KB, they leave a heap of the C library full of holes after a burst, which it
  // never gives back; mapped apart, each goes when its buffers have gone. Without that setting they would share the heap.
  if (process.env.MALLOC_MMAP_THRESHOLD_ !== undefined) Buffer.poolSize = MAPPED_POOL
}

export interface Heap {
  usedBytes(): number
  /** With what is free between. */
  heldBytes(): number
  /** By the young generation. */
  youngBytes(): number
  /** Share of the time since the last call that was spent working. */
  utilization(): number
  collect(): void
  /** Many requests at once want a young generation as large as V8 finds good. */
  growAsNeeded(): void
  /** How far before a collection: a little, or as V8 finds good. */
  limitGrowth(isLimited: boolean): void
}

/**
 * Called when requests are served. What the start has left to do, first passes of controllers above all, is done
 * before the young generation may grow.
 *
 * @returns what ends it
 */
export function collectWhenQuiet(heap: Heap = own(), everyMs = LOOK_EVERY_MS): () => void {
  let kept = 0
  let empty = 0
  let looks = 0
  let quietLooks = 0
  let shrinkAt = YOUNG.quietLooks
  let isSmall = true
  const isWorthIt = (used: number): boolean =>
    (used >= kept * GROWN.times && used >= kept + GROWN.by) ||
    heap.heldBytes() - used > empty + Math.max(EMPTIER.by, used * EMPTIER.times)
  const timer = setInterval(() => {
    const isQuiet = heap.utilization() < QUIET
    if (++looks === START_LOOKS) heap.growAsNeeded()
    quietLooks = isQuiet ? quietLooks + 1 : 0
    if (!isQuiet) shrinkAt = YOUNG.quietLooks
    const used = heap.usedBytes()
    if (used < SMALL.bytes !== isSmall) heap.limitGrowth((isSmall = !isSmall))
    if (!isQuiet || used > LARGEST) return
    const canShrink = quietLooks >= shrinkAt && heap.youngBytes() > YOUNG.by
    if (canShrink) shrinkAt = quietLooks * 2
    if (!canShrink && !isWorthIt(used)) return
    heap.collect()
    // Collecting is no work that somebody waits for: else it would make the next look a busy one.
    heap.utilization()
    kept = heap.usedBytes()
    empty = heap.heldBytes() - kept
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

function own(): Heap {
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  return {
    usedBytes: () => process.memoryUsage().heapUsed,
    heldBytes: () => process.memoryUsage().heapTotal,
    youngBytes: () => {
      const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
      return young?.physical_space_size ?? 0
    },
    utilization() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    },
    growAsNeeded: () => setFlagsFromString(YOUNG_GROWTH),
    limitGrowth: (isLimited) => setFlagsFromString(isLimited ? SMALL.growth : '--heap-growing-percent=0'),
    collect() {
      forgetRecent()
      // The function exists only in contexts made after the flag was set.
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      setFlagsFromString('--no-expose-gc')
      // What is left lies about in pages that could not be given back otherwise: 20 MB of 57.
      setFlagsFromString('--compact-on-every-full-gc')
      collect()
      setFlagsFromString('--no-compact-on-every-full-gc')
    },
  }
}

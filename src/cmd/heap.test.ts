import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collectWhenQuiet, type Heap } from './heap.js'

const MB = 1024 ** 2

describe('a server that has become quiet', () => {
  const heap = {
    used: 60 * MB,
    held: 65 * MB,
    live: 40 * MB,
    busy: 0,
    young: 0,
    shrinks: true,
    collections: 0,
    grows: false,
    isLimited: true,
  }
  const watched: Heap = {
    usedBytes: () => heap.used,
    heldBytes: () => heap.held,
    youngBytes: () => heap.young,
    utilization: () => heap.busy,
    collect() {
      heap.collections++
      heap.used = heap.live
      heap.held = heap.live + 5 * MB
      if (heap.shrinks) heap.young = MB
    },
    growAsNeeded: () => (heap.grows = true),
    limitGrowth: (isLimited) => (heap.isLimited = isLimited),
  }
  let stop: () => void

  beforeEach(() => {
    vi.useFakeTimers()
    Object.assign(heap, {
      used: 60 * MB,
      held: 65 * MB,
      live: 40 * MB,
      busy: 0,
      young: 0,
      shrinks: true,
      collections: 0,
      grows: false,
      isLimited: true,
    })
    stop = collectWhenQuiet(watched, 1_000)
  })
  afterEach(() => {
    stop()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  it('gives back what its start has left behind, once', () => {
    vi.advanceTimersByTime(10_000)

    expect(heap).toMatchObject({ used: 40 * MB, collections: 1 })
  })

  it('grows as V8 finds good only while there is much in it', () => {
    heap.busy = 0.5
    heap.used = 300 * MB
    vi.advanceTimersByTime(1_000)
    expect(heap.isLimited).toBe(false)

    heap.used = 60 * MB
    vi.advanceTimersByTime(1_000)
    expect(heap.isLimited).toBe(true)
  })

  it('waits until nobody is served', () => {
    heap.busy = 0.5
    vi.advanceTimersByTime(10_000)
    expect(heap.collections).toBe(0)

    heap.busy = 0.01
    vi.advanceTimersByTime(1_000)
    expect(heap.collections).toBe(1)
  })

  it('lets its young generation shrink when it has been quiet for a while', () => {
    vi.advanceTimersByTime(5_000)
    heap.busy = 0.5
    heap.young = 30 * MB
    vi.advanceTimersByTime(1_000)
    heap.busy = 0
    vi.advanceTimersByTime(2_000)
    expect(heap.collections).toBe(1)

    vi.advanceTimersByTime(10_000)
    expect(heap.collections).toBe(2)
  })

  it('keeps trying, ever less often, where V8 does not find it quiet enough to shrink', () => {
    heap.young = 30 * MB
    heap.shrinks = false
    vi.advanceTimersByTime(12_000)
    // One of what the start has left, and after three, six and twelve looks.
    expect(heap.collections).toBe(4)

    heap.shrinks = true
    vi.advanceTimersByTime(60_000)
    expect(heap.collections).toBe(5)
  })

  it('does not take its own collecting for work', () => {
    heap.young = 30 * MB
    heap.shrinks = false
    vi.spyOn(watched, 'collect').mockImplementation(() => {
      heap.collections++
      heap.used = heap.live
      heap.busy = 0.2
    })
    vi.spyOn(watched, 'utilization').mockImplementation(() => {
      const { busy } = heap
      heap.busy = 0
      return busy
    })
    vi.advanceTimersByTime(3_000)

    expect(heap.collections).toBe(2)
  })

  it('collects again after a burst has left garbage, and not for a little of it', () => {
    vi.advanceTimersByTime(1_000)
    heap.used = 44 * MB
    vi.advanceTimersByTime(5_000)
    expect(heap.collections).toBe(1)

    heap.used = 90 * MB
    vi.advanceTimersByTime(5_000)
    expect(heap.collections).toBe(2)
  })

  it('gives back pages that a burst has left half empty', () => {
    vi.advanceTimersByTime(1_000)
    heap.held = 80 * MB
    vi.advanceTimersByTime(5_000)

    expect(heap).toMatchObject({ held: 45 * MB, collections: 2 })
  })

  it('lets the young generation grow soon, quiet or not', () => {
    heap.busy = 1
    vi.advanceTimersByTime(2_000)
    expect(heap.grows).toBe(false)

    vi.advanceTimersByTime(1_000)
    expect(heap.grows).toBe(true)
  })

  it('leaves a heap alone whose collection would be felt', () => {
    heap.used = 900 * MB
    vi.advanceTimersByTime(10_000)

    expect(heap.collections).toBe(0)
  })
})

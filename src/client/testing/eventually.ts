/** Polls until an assertion holds. @throws its last failure when the time is up */
export async function eventually(assertion: () => unknown, timeoutMs = 15_000): Promise<void> {
  const until = performance.now() + timeoutMs
  for (;;) {
    try {
      await assertion()
      return
    } catch (error) {
      if (performance.now() >= until) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

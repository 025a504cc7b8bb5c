/** How long a condition may take before a test gives up on it. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 25;

/**
 * Waits until `probe` returns something truthy, and returns that.
 *
 * @template T
 * @param {string} what is being waited for: the message of the failure
 * @param {() => T | Promise<T>} probe
 * @param {number} [patienceMs]
 * @returns {Promise<T>}
 */
export async function until(what, probe, patienceMs = PATIENCE_MS) {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const result = await probe();
    if (result) {
      return result;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${patienceMs} ms in vain for ${what}`);
    }
    await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
}

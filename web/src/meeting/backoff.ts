/** How long to wait before trying again: at once, then longer, never more than five seconds. */

const STEPS_MS = [0, 300, 700, 1500, 3000, 5000];

export function pauseBefore(attempt: number): number {
  return STEPS_MS[Math.min(attempt, STEPS_MS.length - 1)] ?? 0;
}

/** Sleeps; wakes early when the network comes back. */
export function sleepUnlessOnline(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const woken = (): void => {
      clearTimeout(timer);
      removeEventListener("online", woken);
      resolve();
    };
    const timer = setTimeout(woken, ms);
    addEventListener("online", woken);
  });
}

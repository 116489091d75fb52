/**
 * One's own network in words: what the server sees of it, both ways, and what this browser sees. As on the server, a
 * change for the worse counts when it has lasted a little, one for the better when it has lasted longer.
 */

import type { Key } from "../i18n/i18n.js";
import type { Figures } from "../media/figures.js";
import type { NetworkLevel, NetworkSeen, NetworkTrouble } from "../protocol.js";

/** `gaps`: sound does not come in time. `slow`: this computer cannot keep up. */
export type Own = "fine" | "gaps" | "slow";

export interface Told {
  level: NetworkLevel;
  title: Key;
  /** What it means, and what to do; nothing where all is well. */
  detail: Key | null;
  next: Key | null;
}

const EVERY_MS = 2000;
const WORSE_AFTER = 2;
const BETTER_AFTER = 5;
/** From this part of the time on. */
const GAPS = 0.05;
const SLOW = 0.5;
/** A picture that stands still is sent again each five seconds, and one of these may be lost. */
const STILL_S = 11;

const TITLES: Record<NetworkLevel, Key> = { good: "net.good", weak: "net.weak", poor: "net.poor" };
const DETAILS: Record<Exclude<NetworkTrouble, "none">, Key> = {
  sending: "net.sending",
  receiving: "net.receiving",
  delay: "net.delay",
  narrow: "net.narrow",
  stopped: "net.stopped",
};

/** Nothing before the server has said something. What it sees goes before what only this browser sees. */
export function told(seen: NetworkSeen | null, own: Own): Told | null {
  if (seen === null) return null;
  if (seen.trouble !== "none") return worded(seen.level, TITLES[seen.level], DETAILS[seen.trouble], "net.move");
  if (own === "gaps") return worded("weak", "net.weak", "net.receiving", "net.move");
  if (own === "slow") return worded("weak", "net.slow", "net.slowDetail", "net.close");
  return worded("good", "net.good", null, null);
}

function worded(level: NetworkLevel, title: Key, detail: Key | null, next: Key | null): Told {
  return { level, title, detail, next };
}

/** What one reading says so many seconds after another, alone. */
export function judged(before: Figures, now: Figures, passed: number): Own {
  const played = now.played - before.played;
  if (now.slow - before.slow > SLOW * passed) return "slow";
  return played > 0 && (now.madeUp - before.madeUp) / played > GAPS ? "gaps" : "fine";
}

/** The word that counts, after those that were said lately. */
export function settled(former: Own, lately: readonly Own[]): Own {
  const last = lately.at(-1);
  if (last === undefined || last === former) return former;
  const needed = former === "fine" ? WORSE_AFTER : BETTER_AFTER;
  const newest = lately.slice(-needed);
  return newest.length === needed && !newest.includes(former) ? last : former;
}

/** Looks at one connection every two seconds, until it is closed. */
export class OwnQuality {
  word: Own = "fine";
  /** There was a picture, and no other has come for long: what is shown is not how it is now. */
  still = false;
  private newest = { pictures: 0, at: 0 };
  private before: { at: number; figures: Figures } | null = null;
  private lately: Own[] = [];
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly figures: () => Promise<Figures>,
    private readonly changed: () => void,
  ) {
    this.timer = setInterval(() => void this.look(), EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    let figures: Figures;
    try {
      figures = await this.figures();
    } catch {
      return; // the connection was closed meanwhile
    }
    const at = performance.now() / 1000;
    const { before } = this;
    if (before) this.lately = [...this.lately, judged(before.figures, figures, at - before.at)].slice(-BETTER_AFTER);
    this.before = { at, figures };
    const word = settled(this.word, this.lately);
    const still = this.isStill(figures.pictures, at);
    if (word === this.word && still === this.still) return;
    this.word = word;
    this.still = still;
    this.changed();
  }

  private isStill(pictures: number, at: number): boolean {
    if (pictures !== this.newest.pictures) this.newest = { pictures, at };
    return pictures > 0 && at - this.newest.at > STILL_S;
  }
}

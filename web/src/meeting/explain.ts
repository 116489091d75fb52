/** A refusal, in words that say what to do next. */

import type { Problem } from "../api/http.js";
import type { Key } from "../i18n/i18n.js";

export interface Explained {
  title: Key;
  next: Key;
  /** What the server itself says, where it knows more. */
  detail: string;
  /** The PIN is what to try again. */
  pin: boolean;
}

type Told = Pick<Explained, "title" | "next">;

const BY_CODE: Record<string, Told> = {
  unreachable: { title: "error.unreachable", next: "error.unreachable.next" },
  "meeting-full": { title: "error.full", next: "error.full.next" },
  "meeting-locked": { title: "error.locked", next: "error.locked.next" },
  "meeting-not-open": { title: "error.notOpen", next: "error.notOpen.next" },
  "meeting-over": { title: "error.over", next: "error.over.next" },
  "too-many-requests": { title: "error.tooMany", next: "error.tooMany.next" },
  "not-found": { title: "error.notFound", next: "error.notFound.next" },
  unavailable: { title: "error.unavailable", next: "error.unavailable.next" },
};

const OTHER: Told = { title: "error.other", next: "error.other.next" };
const PIN_NEEDED: Told = { title: "error.pinNeeded", next: "error.pinNeeded.next" };
const PIN_WRONG: Told = { title: "error.pinWrong", next: "error.pinWrong.next" };
const LINK_OLD: Told = { title: "error.linkOld", next: "error.linkOld.next" };

/** With what the user came: a personal link, a PIN, or nothing but the number. */
export type CameBy = "link" | "pin" | "number";

export function explain(problem: Problem, by: CameBy): Explained {
  const pin = problem.status === 401 || problem.errors.some((one) => one.pointer.endsWith("/pin"));
  const told = pin ? unknownPerson(by) : (BY_CODE[problem.code] ?? OTHER);
  return { ...told, detail: told === OTHER ? problem.detail : "", pin };
}

/** The server does not say whether it is the number or the PIN that is wrong. */
function unknownPerson(by: CameBy): Told {
  if (by === "link") return LINK_OLD;
  return by === "pin" ? PIN_WRONG : PIN_NEEDED;
}

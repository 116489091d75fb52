/** What the booking form holds, as the request that books it. */

import type { NewMeeting } from "./api/meetings.js";

export interface Form {
  title: string;
  name: string;
  /** `now`: at once, for an hour; `later`: `date`, `from` and `to` on this machine's clock; `always`: stands open. */
  when: "now" | "later" | "always";
  date: string;
  from: string;
  to: string;
  hostPin: string;
  guestPin: string;
  lobby: boolean;
  waitForHost: boolean;
}

const AN_HOUR_MS = 3_600_000;

/** Null where the times do not make a meeting. */
export function meetingOf(form: Form, language: string, now: Date, timeZone: string): NewMeeting | null {
  const times = timesOf(form, now);
  if (times === null) return null;
  return {
    title: form.title,
    language,
    ...times,
    time_zone: timeZone,
    participants: form.name ? [{ name: form.name, role: "host" }] : [],
    access: {
      // null is "no PIN"; one that is left out would be made by the server
      host_pin: form.hostPin || null,
      guest_pin: form.guestPin || null,
      wait_for_host: form.waitForHost,
      lobby: { scope: form.lobby ? "guests" : "none" },
    },
  };
}

function timesOf(form: Form, now: Date): { start?: string; end?: string } | null {
  if (form.when === "always") return {};
  if (form.when === "now") return { start: now.toISOString(), end: new Date(now.getTime() + AN_HOUR_MS).toISOString() };
  const start = new Date(`${form.date}T${form.from}`);
  const end = new Date(`${form.date}T${form.to}`);
  if (!(start < end)) return null;
  return { start: start.toISOString(), end: end.toISOString() };
}

/** Six digits that nobody guesses from the ones before. */
export function newPin(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return String(random % 1_000_000).padStart(6, "0");
}

/** The date and the time of day of this machine's clock, as form fields hold them. */
export function dateField(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function timeField(at: Date): string {
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}
